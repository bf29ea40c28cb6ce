package conformance

import (
	"fmt"
	"testing"
	"time"

	"ecr-cross-account-credential-provider/pkg/rule"
	"ecr-cross-account-credential-provider/test/fakeaws"
)

const bySA = `
registries:
- accounts: ["444455556666"]
  source: ServiceAccount
  serviceAccount:
    allowedRoles: ["arn:aws:iam::444455556666:role/pull-*"]
`

const bySAOrNode = bySA + `    whenNoToken: Node
    whenNoRole: Node
`

const (
	asA = "arn:aws:sts::444455556666:assumed-role/pull-a/team-a.app"
	asB = "arn:aws:sts::444455556666:assumed-role/pull-b/team-b.app"

	optional = "optionalServiceAccountAnnotationKeys"
	required = "requiredServiceAccountAnnotationKeys"
)

// TestServiceAccounts: a kubelet with tokenAttributes gets the tokens of each service
// account's role. The service accounts of teams A and B each have an annotation with a
// role. The service account plain/app has none.
func TestServiceAccounts(t *testing.T) {
	t.Parallel()
	image := first + "/app"
	a, b, plain := pod{image, "team-a", "app"}, pod{image, "team-b", "app"}, pod{image, "plain", "app"}
	tests := []struct {
		name    string
		config  string
		keys    string // which of the kubelet's two lists has the annotation
		require bool   // requireServiceAccount
		pods    []pod
		want    [][]string
		runs    int
		log     string
	}{
		{
			name: "each by its own role, never the other's", config: bySA, keys: optional, require: true,
			pods: []pod{a, b, a, b}, want: [][]string{{asA}, {asB}, {asA}, {asB}}, runs: 2,
		},
		{
			name: "one answer for a service account's images of a registry", config: bySA, keys: optional, require: true,
			pods: []pod{a, {first + "/other", "team-a", "app"}}, want: [][]string{{asA}, {asA}}, runs: 1,
		},
		{
			name: "required annotation missing: the plugin is not run", config: bySA, keys: required, require: true,
			pods: []pod{plain}, want: [][]string{nil}, runs: 0,
		},
		{
			name: "required annotation there", config: bySA, keys: required, require: true,
			pods: []pod{b}, want: [][]string{{asB}}, runs: 1,
		},
		{
			name: "no annotation, refused", config: bySA, keys: optional, require: true,
			pods: []pod{plain, plain}, want: [][]string{nil, nil}, runs: 2,
			log: "the service account has no annotation eks.amazonaws.com/ecr-role-arn",
		},
		{
			name: "no annotation, the node", config: bySAOrNode, keys: optional, require: true,
			pods: []pod{plain, a}, want: [][]string{{asNode}, {asA}}, runs: 2,
		},
		{
			name: "no service account, refused", config: bySA, keys: optional,
			pods: []pod{{image, "", ""}}, want: [][]string{nil}, runs: 1,
			log: "the request has no service account token",
		},
		{
			name: "no service account, the node", config: bySAOrNode, keys: optional,
			pods: []pod{{image, "", ""}, a}, want: [][]string{{asNode}, {asA}}, runs: 2,
		},
		{
			name: "no service account where one is required: the plugin is not run", config: bySAOrNode, keys: optional, require: true,
			pods: []pod{{image, "", ""}}, want: [][]string{nil}, runs: 0,
		},
		{
			name: "no configuration: as the stock plugin", keys: optional, require: true,
			pods: []pod{a, plain}, want: [][]string{{asA}, {asNode}}, runs: 2,
		},
	}
	for _, r := range releases {
		if !r.serviceAccounts {
			continue // TestLoader covers this kubelet
		}
		for _, test := range tests {
			for _, cacheType := range []string{"ServiceAccount", "Token"} {
				t.Run(r.version+" "+test.name+", "+cacheType, func(t *testing.T) {
					t.Parallel()
					node := install(t, name)
					ours := entry(t, name, "v1", test.config) + tokenAttributes(cacheType, test.keys, test.require)
					k := kubelet{Config: node.configure(t, "providers.yaml", ours), BinDir: node.dir, Lookups: test.pods}
					aws := startAWS(t)
					k.ServiceAccounts = serviceAccounts(t, aws)
					r.check(t, node, aws, k, outcome{as: test.want, runs: test.runs, log: test.log})
				})
			}
		}
	}
}

// serviceAccounts adds the service accounts, and the roles that trust them.
func serviceAccounts(t *testing.T, aws *fakeaws.Server) map[string]serviceAccount {
	t.Helper()
	issuer, err := fakeaws.NewIssuer("https://oidc.example.com/cluster")
	if err != nil {
		t.Fatal(err)
	}
	aws.World.TrustIssuer(issuer)
	accounts := map[string]serviceAccount{}
	for namespace, role := range map[string]string{"team-a": "pull-a", "team-b": "pull-b", "plain": ""} {
		token, err := issuer.Token(namespace, "app", fakeaws.Audience, time.Now().Add(time.Hour))
		if err != nil {
			t.Fatal(err)
		}
		account := serviceAccount{Audience: fakeaws.Audience, Token: token}
		if role != "" {
			arn := "arn:aws:iam::444455556666:role/" + role
			account.Annotations = map[string]string{rule.DefaultRoleAnnotation: arn}
			aws.World.SetRole(fakeaws.Role{ARN: arn, Trust: []fakeaws.Trust{{Principal: "system:serviceaccount:" + namespace + ":app"}}})
		}
		accounts[namespace+"/app"] = account
	}
	return accounts
}

// tokenAttributes returns the configuration that makes the kubelet send service account
// tokens to a provider.
func tokenAttributes(cacheType, keys string, require bool) string {
	return fmt.Sprintf(`  tokenAttributes:
    serviceAccountTokenAudience: %s
    cacheType: %s
    requireServiceAccount: %t
    %s: [%s]
`, fakeaws.Audience, cacheType, require, keys, rule.DefaultRoleAnnotation)
}
