package examples_test

import (
	"errors"
	"reflect"
	"slices"
	"testing"

	"ecr-cross-account-credential-provider/pkg/iampolicy"
	"ecr-cross-account-credential-provider/pkg/registry"
	"ecr-cross-account-credential-provider/pkg/rule"
)

const (
	podManifest      = "kubernetes/service-account.yaml"
	audienceManifest = "kubernetes/node-audience-cluster-role.yaml"
	podTrust         = "iam/role-trust-policy-service-account.json"
)

const (
	podRole = "arn:aws:iam::444455556666:role/pull-team-a"
	issuer  = "oidc.eks.eu-west-1.amazonaws.com/id/EXAMPLED539D4633E53DE1B71EXAMPLE"
)

// typeMeta is the API version and the kind of an object in a manifest.
type typeMeta struct {
	APIVersion string `yaml:"apiVersion"`
	Kind       string `yaml:"kind"`
}

type objectMeta struct {
	Name        string            `yaml:"name"`
	Namespace   string            `yaml:"namespace"`
	Annotations map[string]string `yaml:"annotations"`
}

type serviceAccount struct {
	Type     typeMeta   `yaml:",inline"`
	Metadata objectMeta `yaml:"metadata"`
}

func readServiceAccount(t *testing.T) serviceAccount {
	t.Helper()
	var s serviceAccount
	decode(t, read(t, podManifest), &s)
	if s.Type != (typeMeta{"v1", "ServiceAccount"}) {
		t.Fatalf("%s: got %v; want a ServiceAccount", podManifest, s.Type)
	}
	return s
}

// TestServiceAccountsFit: kubelet, cluster and trust policy have the same audience,
// service account and annotation.
func TestServiceAccountsFit(t *testing.T) {
	t.Parallel()
	token, pod := providers(t, read(t, podKubelet))[0].TokenAttributes, readServiceAccount(t).Metadata
	trust := readPolicy(t, podTrust).Statement[0].Condition
	want := iampolicy.Condition{"StringEquals": {
		issuer + ":sub": {"system:serviceaccount:" + pod.Namespace + ":" + pod.Name},
		issuer + ":aud": {token.Audience},
	}}
	if !reflect.DeepEqual(trust, want) {
		t.Errorf("trust policy: got %v; want %v", trust, want)
	}
	if want := map[string]string{token.OptionalAnnotations[0]: podRole}; !reflect.DeepEqual(pod.Annotations, want) {
		t.Errorf("service account: got annotations %v; want %v", pod.Annotations, want)
	}
	if rules := readClusterRole(t); !reflect.DeepEqual(rules, []clusterRule{
		{[]string{""}, []string{token.Audience}, []string{"request-serviceaccounts-token-audience"}},
	}) {
		t.Errorf("got the nodes' rules %v; want only tokens for %s", rules, token.Audience)
	}
}

type clusterRule struct {
	APIGroups []string `yaml:"apiGroups"`
	Resources []string `yaml:"resources"`
	Verbs     []string `yaml:"verbs"`
}

// readClusterRole returns the rules of the nodes' ClusterRole. It checks that the
// ClusterRole is bound to the nodes.
func readClusterRole(t *testing.T) []clusterRule {
	t.Helper()
	type reference struct {
		APIGroup string `yaml:"apiGroup"`
		Kind     string `yaml:"kind"`
		Name     string `yaml:"name"`
	}
	var role struct {
		Type     typeMeta      `yaml:",inline"`
		Metadata objectMeta    `yaml:"metadata"`
		Rules    []clusterRule `yaml:"rules"`
	}
	var binding struct {
		Type     typeMeta    `yaml:",inline"`
		Metadata objectMeta  `yaml:"metadata"`
		RoleRef  reference   `yaml:"roleRef"`
		Subjects []reference `yaml:"subjects"`
	}
	decode(t, read(t, audienceManifest), &role, &binding)
	const group = "rbac.authorization.k8s.io"
	if role.Type != (typeMeta{group + "/v1", "ClusterRole"}) || binding.Type != (typeMeta{group + "/v1", "ClusterRoleBinding"}) {
		t.Errorf("%s: got %v and %v; want a ClusterRole and its binding", audienceManifest, role.Type, binding.Type)
	}
	if binding.RoleRef != (reference{group, "ClusterRole", role.Metadata.Name}) || role.Metadata.Name == "" || binding.Metadata.Name == "" {
		t.Errorf("got role %v, bound as %v by %v; want the same role", role.Metadata, binding.RoleRef, binding.Metadata)
	}
	if !slices.Equal(binding.Subjects, []reference{{group, "Group", "system:nodes"}}) {
		t.Errorf("got a binding to %v; want the nodes", binding.Subjects)
	}
	return role.Rules
}

// TestServiceAccountConfiguration: annotations choose only allowed roles, nothing
// falls back to the node, and sessions name the pod.
func TestServiceAccountConfiguration(t *testing.T) {
	t.Parallel()
	c := load(t, read(t, "service-account.yaml"))
	for _, host := range []string{"444455556666.dkr.ecr.eu-west-1.amazonaws.com", "777788889999.dkr.ecr.us-east-1.amazonaws.com"} {
		entry, _ := resolve(t, c, host+"/app")
		source := entry.ServiceAccount
		if source.NodeWhenNoToken || source.NodeWhenNoRole || entry.NodeWhenRefused {
			t.Errorf("%s: got a fallback to the node; want none", host)
		}
		image, _ := registry.Parse(host + "/app")
		if arn, err := source.Role(image.Registry(), nil); !errors.Is(err, rule.ErrNoRole) {
			t.Errorf("%s: without the annotation: got %q, error %v; want %v", host, arn, err, rule.ErrNoRole)
		}
		for _, arn := range []string{"", "arn:aws:iam::444455556666:role/admin", "arn:aws:iam::444455556666:role/pull-x/y", "arn:aws:iam::777788889999:role/pull-team-a"} {
			if got, err := source.Role(image.Registry(), map[string]string{rule.DefaultRoleAnnotation: arn}); err == nil {
				t.Errorf("%s: annotation %q: got %q; want an error", host, arn, got)
			}
		}
	}
	_, roles := resolve(t, c, "777788889999.dkr.ecr.eu-west-1.amazonaws.com/app")
	last := roles[len(roles)-1]
	if want := []rule.TagValue{{Key: "kubernetes-namespace", Value: "team-a"}, {Key: "kubernetes-service-account", Value: "app"}}; !slices.Equal(last.Tags, want) {
		t.Errorf("got session tags %v; want %v", last.Tags, want)
	}
	if last.SessionName != "team-a.app" {
		t.Errorf("got session %s; want team-a.app", last.SessionName)
	}
}
