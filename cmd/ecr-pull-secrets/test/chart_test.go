package test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	authenticationv1 "k8s.io/api/authentication/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/yaml"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/restmapper"
)

// helm renders the chart with Helm's module. The error contains Helm's message.
func helm(t *testing.T, release, namespace, values string) (string, error) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "values.yaml")
	if err := os.WriteFile(file, []byte(values), 0o600); err != nil {
		t.Fatal(err)
	}
	return helmInstall(t, ".", release, "../chart", "-n", namespace, "-f", file)
}

// helmInstall renders what helm install creates when it is called in a directory.
func helmInstall(t *testing.T, dir string, args ...string) (string, error) {
	t.Helper()
	program, err := filepath.Abs(filepath.Join(bin, "helm"))
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), program, append([]string{"install"}, args...)...)
	cmd.Dir = dir
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("%w: %s", err, stderr.String())
	}
	return string(out), nil
}

// valuesFor returns the fewest values that a release needs.
func valuesFor(secret string) string {
	return fmt.Sprintf(`image: {repository: registry.example.com/ecr-pull-secrets, tag: v1}
config: |
  apiVersion: ecr-cross-account-credential-provider/v1alpha1
  kind: CrossAccountConfig
  registries: [{accounts: ["444455556666"], regions: [eu-west-1]}]
secretName: %s
namespaceSelector: team=%[1]s
`, secret)
}

// objects decodes manifests.
func objects(t *testing.T, manifests string) (all []*unstructured.Unstructured) {
	t.Helper()
	for decoder := yaml.NewYAMLOrJSONDecoder(strings.NewReader(manifests), 4096); ; {
		u := &unstructured.Unstructured{}
		switch err := decoder.Decode(u); {
		case errors.Is(err, io.EOF):
			return all
		case err != nil:
			t.Fatal(err)
		case len(u.Object) > 0:
			all = append(all, u)
		}
	}
}

// apply creates objects.
func (c *cluster) apply(t *testing.T, all []*unstructured.Unstructured) {
	t.Helper()
	groups, err := restmapper.GetAPIGroupResources(c.kube.Discovery())
	if err != nil {
		t.Fatal(err)
	}
	mapper, client := restmapper.NewDiscoveryRESTMapper(groups), dynamic.NewForConfigOrDie(c.admin)
	for _, u := range all {
		kind := u.GroupVersionKind()
		mapping, err := mapper.RESTMapping(kind.GroupKind(), kind.Version)
		if err != nil {
			t.Fatal(err)
		}
		var into dynamic.ResourceInterface = client.Resource(mapping.Resource)
		if mapping.Scope.Name() == meta.RESTScopeNameNamespace {
			into = client.Resource(mapping.Resource).Namespace(u.GetNamespace())
		}
		if _, err := into.Create(t.Context(), u, metav1.CreateOptions{FieldValidation: metav1.FieldValidationStrict}); err != nil {
			t.Fatalf("%s %s: %v", kind.Kind, u.GetName(), err)
		}
	}
}

// install installs the chart, unchanged or changed. It returns the kubeconfig of the
// chart's service account.
func (c *cluster) install(t *testing.T, release string, change func(*unstructured.Unstructured)) (kubeconfig string) {
	t.Helper()
	c.namespace(t, release, "")
	manifests, err := helm(t, release, release, valuesFor(release))
	if err != nil {
		t.Fatal(err)
	}
	all := objects(t, manifests)
	for _, u := range all {
		change(u)
	}
	c.apply(t, all)
	return c.kubeconfig(t, c.token(t, release, release), release)
}

// token returns a token of a service account.
func (c *cluster) token(t *testing.T, namespace, name string) string {
	t.Helper()
	request, err := c.kube.CoreV1().ServiceAccounts(namespace).CreateToken(t.Context(), name, &authenticationv1.TokenRequest{}, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return request.Status.Token
}

// convert turns an object into a typed one.
func convert(t *testing.T, from, to any) {
	t.Helper()
	text, err := json.Marshal(from)
	if err == nil {
		err = json.Unmarshal(text, to)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// unchanged keeps an object as the chart has it.
func unchanged(*unstructured.Unstructured) {}

// TestLease: each release of a namespace has its own Lease.
func TestLease(t *testing.T) {
	t.Parallel()
	manifests, err := helm(t, "second", "shared", valuesFor("lease"))
	if err != nil {
		t.Fatal(err)
	}
	var args, leases []string
	for _, u := range objects(t, manifests) {
		switch u.GetKind() {
		case "Deployment":
			var d appsv1.Deployment
			convert(t, u, &d)
			args = d.Spec.Template.Spec.Containers[0].Args
		case "Role":
			var role rbacv1.Role
			convert(t, u, &role)
			for _, rule := range role.Rules {
				leases = append(leases, rule.ResourceNames...)
			}
		}
	}
	if !slices.Contains(args, "--lease=second") || !slices.Equal(leases, []string{"second"}) {
		t.Errorf("got the arguments %q and rights on the Leases %q, want the Lease second in both", args, leases)
	}
}

// TestValues: the schema refuses values that cannot work.
func TestValues(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, old, new, want string }{
		{"none", "", "", ""},
		{"no repository", "repository: registry.example.com/ecr-pull-secrets", `repository: ""`, "image.repository"},
		{"neither tag nor digest", "tag: v1", `tag: ""`, "image"},
		{"an invalid digest", "tag: v1", "digest: v1", "digest"},
		{"a quoted kind", "kind: CrossAccountConfig", `kind: "CrossAccountConfig"`, ""},
		{"a kind as in JSON", "kind: CrossAccountConfig", `"kind":"CrossAccountConfig"`, ""},
		{"no configuration", "kind: CrossAccountConfig", "kind: Other", "config"},
		{"an invalid Secret name", "secretName: values", "secretName: Values", "secretName"},
		{"an unknown value", "secretName: values", "secretname: values", "secretname"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			_, err := helm(t, "values", "values", strings.Replace(valuesFor("values"), test.old, test.new, 1))
			switch {
			case test.want == "" && err != nil:
				t.Error(err)
			case test.want != "" && (err == nil || !strings.Contains(strings.ReplaceAll(err.Error(), "/", "."), test.want)):
				t.Errorf("got %v, want an error about %s", err, test.want)
			}
		})
	}
}
