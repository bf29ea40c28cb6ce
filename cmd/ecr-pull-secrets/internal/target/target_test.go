package target_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"ecr-cross-account-credential-provider/cmd/ecr-pull-secrets/internal/target"
	"ecr-cross-account-credential-provider/pkg/config"
	"ecr-cross-account-credential-provider/pkg/registry"
)

const own = "111122223333"

// load reads a configuration with these entries.
func load(t *testing.T, entries string) config.Config {
	t.Helper()
	file := filepath.Join(t.TempDir(), "config.yaml")
	text := "apiVersion: ecr-cross-account-credential-provider/v1alpha1\nkind: CrossAccountConfig\nregistries:\n" + entries
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := config.Load(file, nil)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestList(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, entries string
		own           string            // empty while it is not known
		want          map[string]string // the identity of the plan by key
	}{
		{
			"accounts and regions", `
- accounts: ["444455556666", "777788889999"]
  regions: [eu-west-1, cn-north-1]
`, "", map[string]string{
				"444455556666.dkr.ecr.eu-west-1.amazonaws.com":     "the node",
				"777788889999.dkr.ecr.eu-west-1.amazonaws.com":     "the node",
				"444455556666.dkr.ecr.cn-north-1.amazonaws.com.cn": "the node",
				"777788889999.dkr.ecr.cn-north-1.amazonaws.com.cn": "the node",
			},
		},
		{
			"repositories", `
- accounts: ["444455556666"]
  regions: [eu-west-1]
  repositories: [team-a/, team-b]
  assumeRoles: [{arn: "arn:aws:iam::{account}:role/teams"}]
- accounts: ["444455556666"]
  regions: [eu-west-1]
  assumeRoles: [{arn: "arn:aws:iam::{account}:role/others"}]
`, "", map[string]string{
				"444455556666.dkr.ecr.eu-west-1.amazonaws.com/team-a/": "arn:aws:iam::444455556666:role/teams",
				"444455556666.dkr.ecr.eu-west-1.amazonaws.com/team-b":  "arn:aws:iam::444455556666:role/teams",
				"444455556666.dkr.ecr.eu-west-1.amazonaws.com":         "arn:aws:iam::444455556666:role/others",
			},
		},
		{
			"repositories that look like an API's path", `
- accounts: ["444455556666"]
  regions: [eu-west-1]
  repositories: [v1/team/, v2/, v1x/]
`, "", map[string]string{
				"444455556666.dkr.ecr.eu-west-1.amazonaws.com/v2/v1/team/": "the node",
				"444455556666.dkr.ecr.eu-west-1.amazonaws.com/v2/v2/":      "the node",
				"444455556666.dkr.ecr.eu-west-1.amazonaws.com/v1x/":        "the node",
			},
		},
		{"own, not known yet", "- {accounts: [own], regions: [eu-west-1]}\n", "", map[string]string{}},
		{"own", "- {accounts: [own], regions: [eu-west-1]}\n", own, map[string]string{own + ".dkr.ecr.eu-west-1.amazonaws.com": "the node"}},
		{
			"digits before own", `
- accounts: [own]
  regions: [eu-west-1]
- accounts: ["` + own + `"]
  regions: [eu-west-1]
  assumeRoles: [{arn: "arn:aws:iam::111122223333:role/pull"}]
`, own, map[string]string{own + ".dkr.ecr.eu-west-1.amazonaws.com": "arn:aws:iam::111122223333:role/pull"},
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			set, err := target.New(load(t, test.entries))
			if err != nil {
				t.Fatal(err)
			}
			var account registry.Account
			if test.own != "" {
				if account, err = registry.ParseAccount(test.own); err != nil {
					t.Fatal(err)
				}
			}
			targets, err := set.List(account)
			if err != nil {
				t.Fatal(err)
			}
			got := map[string]string{}
			for _, target := range targets {
				got[target.Key] = target.Plan.Identity()
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if set.DependsOnOwn() != strings.Contains(test.entries, "own") {
				t.Errorf("DependsOnOwn: got %t, want the opposite", set.DependsOnOwn())
			}
		})
	}
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, entries, want string }{
		{
			"every account", `- accounts: ["*"]
  exceptAccounts: [own]
  regions: [eu-west-1]
  assumeRoles: [{arn: "arn:aws:iam::{account}:role/pull"}]
`, `config.yaml:4: registries[0].accounts: "*" names no registry, and a pull Secret lists each one; name the accounts by their digits`,
		},
		{
			"a pod's own identity", `- accounts: ["444455556666"]
  regions: [eu-west-1]
  source: ServiceAccount
  serviceAccount: {allowedRoles: ["arn:aws:iam::444455556666:role/pull-*"]}
`, "config.yaml:4: registries[0].source: ServiceAccount starts with a pod's own token, and a pull Secret is the same for all pods of its namespace",
		},
		{"no regions", `- accounts: ["444455556666"]` + "\n", "config.yaml:4: registries[0].regions: is required here, because a pull Secret lists each registry; name the regions"},
		{"a pattern", `- {accounts: ["444455556666"], regions: [eu-west-1, us-*]}` + "\n", `registries[0].regions[1]: "us-*" is a pattern, and a pull Secret lists each registry; name the regions`},
		{
			"the second entry", `- accounts: ["444455556666"]
  regions: [eu-west-1]
  assumeRoles: [{arn: "arn:aws:iam::444455556666:role/pull"}]
- accounts: ["777788889999"]
`, "config.yaml:7: registries[1].regions: is required here",
		},
		{"nothing", "- {accounts: [own], regions: [eu-west-1]}\n", ""},
		{"too many", "- accounts: [" + manyAccounts(201) + "]\n  regions: [eu-west-1]\n", "registries: names 201 registries and prefixes; a pull Secret holds at most 200"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			_, err := target.New(load(t, test.entries))
			switch {
			case test.want == "" && err != nil:
				t.Error(err)
			case test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want)):
				t.Errorf("got  %v\nwant %s", err, test.want)
			}
		})
	}
}

func TestNoRegistry(t *testing.T) {
	t.Parallel()
	if _, err := target.New(config.Default()); err == nil || !strings.Contains(err.Error(), "names no registry") {
		t.Errorf("got %v, want an error about no registry", err)
	}
}

// manyAccounts returns n accounts, quoted.
func manyAccounts(n int) string {
	quoted := make([]string, n)
	for i := range quoted {
		quoted[i] = `"` + string([]byte{'1', byte('0' + i/100), byte('0' + i/10%10), byte('0' + i%10)}) + `00000000"`
	}
	return strings.Join(quoted, ", ")
}
