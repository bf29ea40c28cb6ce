package examples_test

import (
	"encoding/json"
	"errors"
	"io"
	"maps"
	"path"
	"reflect"
	"regexp"
	"strings"
	"testing"
)

// policy is an IAM policy, as strict as these files are written: lists where
// the grammar leaves the choice.
type policy struct {
	Version   string
	Statement []statement
}

type statement struct {
	Sid       string
	Effect    string
	Principal map[string]string
	Action    []string
	Resource  []string
	Condition map[string]map[string]string
}

// sid is the form that IAM takes.
var sid = regexp.MustCompile(`^[0-9A-Za-z]+$`)

var pullActions = []string{"ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"}

// policies are the files of iam, each with what it allows, statement by statement.
var policies = map[string]struct {
	attachedIn string
	principal  map[string]string
	resources  bool
	actions    [][]string
}{
	"iam/node-policy.json":           {nodeAccount, nil, true, [][]string{{"sts:AssumeRole"}}},
	"iam/node-policy-wildcard.json":  {nodeAccount, nil, true, [][]string{{"sts:AssumeRole"}}},
	"iam/role-trust-policy.json":     {"444455556666", map[string]string{"AWS": "arn:aws:iam::111122223333:role/node"}, false, [][]string{{"sts:AssumeRole"}}},
	podTrust:                         {"444455556666", map[string]string{"Federated": "arn:aws:iam::444455556666:oidc-provider/" + issuer}, false, [][]string{{"sts:AssumeRoleWithWebIdentity"}}},
	"iam/role-permissions-pull.json": {"444455556666", nil, true, [][]string{{"ecr:GetAuthorizationToken"}, pullActions}},
	"iam/role-permissions-pull-through-cache.json": {"444455556666", nil, true, [][]string{
		{"ecr:GetAuthorizationToken"}, pullActions, {"ecr:BatchImportUpstreamImage", "ecr:CreateRepository"},
	}},
	"iam/repository-policy.json": {"444455556666", map[string]string{"AWS": "arn:aws:iam::111122223333:root"}, false, [][]string{pullActions}},
	"iam/registry-policy.json":   {"444455556666", map[string]string{"AWS": "arn:aws:iam::111122223333:root"}, true, [][]string{pullActions}},
}

func TestPolicies(t *testing.T) {
	t.Parallel()
	for file, want := range policies {
		t.Run(file, func(t *testing.T) {
			t.Parallel()
			p := readPolicy(t, file)
			var actions [][]string
			for _, s := range p.Statement {
				actions = append(actions, s.Action)
				if s.Effect != "Allow" || !sid.MatchString(s.Sid) {
					t.Errorf("effect %q, Sid %q", s.Effect, s.Sid)
				}
				if !maps.Equal(s.Principal, want.principal) {
					t.Errorf("principal %v; want %v", s.Principal, want.principal)
				}
				checkResources(t, s, want.resources)
			}
			if p.Version != "2012-10-17" || !reflect.DeepEqual(actions, want.actions) {
				t.Errorf("version %q, actions %q; want %q", p.Version, actions, want.actions)
			}
		})
	}
}

// checkResources: the token is of no resource, pulling is of repositories
// (Service Authorization Reference, Amazon ECR), assuming of roles.
func checkResources(t *testing.T, s statement, want bool) {
	t.Helper()
	form := regexp.MustCompile(`^arn:aws:ecr:(\*|eu-west-1):444455556666:repository/([a-z-]+/)?\*$`)
	switch s.Action[0] {
	case "ecr:GetAuthorizationToken":
		form = regexp.MustCompile(`^\*$`)
	case "sts:AssumeRole":
		form = regexp.MustCompile(`^arn:aws:iam::(\*|[0-9]{12}):role/ecr-pull$`)
	}
	if (len(s.Resource) == 1) != want {
		t.Errorf("%s: resources %q", s.Sid, s.Resource)
	}
	for _, resource := range s.Resource {
		if !form.MatchString(resource) {
			t.Errorf("%s: resource %q; want %s", s.Sid, resource, form)
		}
	}
}

// TestPoliciesFitTheConfigurations: the roles that the configurations assume
// are those that the policies speak of, and so is the external ID.
func TestPoliciesFitTheConfigurations(t *testing.T) {
	t.Parallel()
	image := "444455556666.dkr.ecr.eu-west-1.amazonaws.com/app"
	for configuration, file := range map[string]string{
		"minimal.yaml": "iam/node-policy.json", "hybrid-nodes.yaml": "iam/node-policy.json", "privatelink.yaml": "iam/node-policy.json",
		"many-accounts.yaml": "iam/node-policy-wildcard.json",
	} {
		_, roles := match(t, load(t, read(t, configuration)), image)
		arn, _, _ := strings.Cut(roles[0], " ")
		pattern := readPolicy(t, file).Statement[0].Resource[0]
		if ok, err := path.Match(pattern, arn); !ok || err != nil {
			t.Errorf("%s allows %s; %s assumes %s", file, pattern, configuration, arn)
		}
	}
	wildcard := readPolicy(t, "iam/node-policy-wildcard.json").Statement[0].Condition
	if want := (map[string]map[string]string{"StringEquals": {"aws:ResourceOrgID": "${aws:PrincipalOrgID}"}}); !reflect.DeepEqual(wildcard, want) {
		t.Errorf("the wildcard is narrowed by %v; want %v", wildcard, want)
	}
	trust := readPolicy(t, "iam/role-trust-policy.json").Statement[0].Condition
	for _, configuration := range []string{"minimal.yaml", "chained-role.yaml", "hybrid-nodes.yaml", "privatelink.yaml"} {
		_, roles := match(t, load(t, read(t, configuration)), image)
		_, id, _ := strings.Cut(roles[len(roles)-1], " ")
		if want := (map[string]map[string]string{"StringEquals": {"sts:ExternalId": id}}); !reflect.DeepEqual(trust, want) {
			t.Errorf("the trust policy wants %v; %s has %v", trust, configuration, want)
		}
	}
}

func readPolicy(t *testing.T, file string) policy {
	t.Helper()
	decoder := json.NewDecoder(strings.NewReader(read(t, file)))
	decoder.DisallowUnknownFields()
	var p policy
	if err := decoder.Decode(&p); err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		t.Fatalf("%s: more after the policy", file)
	}
	return p
}
