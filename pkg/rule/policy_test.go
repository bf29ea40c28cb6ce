package rule_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"ecr-cross-account-credential-provider/pkg/registry"
	"ecr-cross-account-credential-provider/pkg/rule"
)

// TestPolicy compares the documents that STS gets.
func TestPolicy(t *testing.T) {
	t.Parallel()
	const (
		token   = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["ecr:GetAuthorizationToken"],"Resource":["*"]},`
		pulling = `{"Effect":"Allow","Action":["ecr:BatchGetImage","ecr:GetDownloadUrlForLayer","ecr:BatchCheckLayerAvailability"],`
		caching = `{"Effect":"Allow","Action":["ecr:BatchGetImage","ecr:GetDownloadUrlForLayer","ecr:BatchCheckLayerAvailability",` +
			`"ecr:BatchImportUpstreamImage","ecr:CreateRepository"],`
	)
	tests := []struct {
		name         string
		kind         rule.PolicyKind
		repositories []string
		image        string
		want         string
	}{
		{"none", rule.NoPolicy, []string{"team-a/"}, teamA + "/eu-west-1/app", ""},
		{
			"pull", rule.PullOnly, nil, teamA + "/eu-west-1/app",
			token + pulling + `"Resource":["arn:aws:ecr:eu-west-1:444455556666:repository/*"]}]}`,
		},
		{
			"pull from some repositories", rule.PullOnly,
			[]string{"team-a/", "base"},
			teamA + "/eu-west-1/app",
			token + pulling + `"Resource":["arn:aws:ecr:eu-west-1:444455556666:repository/team-a/*","arn:aws:ecr:eu-west-1:444455556666:repository/base*"]}]}`,
		},
		{
			"pull in another partition", rule.PullOnly, nil, zeros + "/cn-north-1/app",
			token + pulling + `"Resource":["arn:aws-cn:ecr:cn-north-1:000000000012:repository/*"]}]}`,
		},
		{
			"pull through cache", rule.PullThroughCache, nil, teamB + "/us-east-1/app",
			token + caching + `"Resource":["arn:aws:ecr:us-east-1:777788889999:repository/*"]}]}`,
		},
		{
			"pull through cache for some repositories", rule.PullThroughCache,
			[]string{"docker-hub/", "quay/"},
			teamB + "/us-gov-west-1/app",
			token + caching + `"Resource":["arn:aws-us-gov:ecr:us-gov-west-1:777788889999:repository/docker-hub/*","arn:aws-us-gov:ecr:us-gov-west-1:777788889999:repository/quay/*"]}]}`,
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			role, err := newRole(t, "arn:{partition}:iam::{account}:role/pull").WithPolicy(test.kind, test.repositories)
			if err != nil {
				t.Fatal(err)
			}
			if got := role.HasPolicy(); got != (test.want != "") {
				t.Errorf("HasPolicy() = %t, want %t", got, !got)
			}
			got, err := parameters(role, newImage(t, test.image).Registry(), test.repositories, values{Node: node})
			if err != nil {
				t.Fatal(err)
			}
			if got.Policy != test.want {
				t.Errorf("got  %s\nwant %s", got.Policy, test.want)
			}
			if got.Policy != "" && !json.Valid([]byte(got.Policy)) {
				t.Errorf("got %q, want JSON", got.Policy)
			}
		})
	}
	if newRole(t, pull).HasPolicy() {
		t.Error("a new role has a policy, want none")
	}
}

// TestPolicySize: a policy that is accepted at load fits STS for every possible
// registry of any partition. Only policies that could be too long are refused.
func TestPolicySize(t *testing.T) {
	t.Parallel()
	registries := allRegistries(t)
	for _, kind := range []rule.PolicyKind{rule.PullOnly, rule.PullThroughCache} {
		for _, length := range []int{1, 8, 60, 256} {
			most, largest := 0, 0
			for n := 1; ; n++ {
				repositories := prefixes(n, length)
				role, err := newRole(t, "arn:{partition}:iam::{account}:role/pull").WithPolicy(kind, repositories)
				if err != nil {
					checkTooLong(t, role, err)
					break
				}
				most, largest = n, longestPolicy(t, role, registries, repositories)
				if largest > 2048 {
					t.Fatalf("kind %d, %d repositories of %d letters: got a policy of %d characters, want at most 2048", kind, n, length, largest)
				}
			}
			perRepository := len(`,"arn:aws-us-gov:ecr:us-gov-xxxxxxxxxxxxxxxxxxxx-99:444455556666:repository/*"`) + length
			if most == 0 || largest+perRepository <= 2048 {
				t.Errorf("kind %d: at most %d repositories of %d letters are accepted, with a policy of %d characters; want one more repository", kind, most, length, largest)
			}
		}
	}
}

// TestPolicyJustFits tries each length around the limit.
func TestPolicyJustFits(t *testing.T) {
	t.Parallel()
	registries := allRegistries(t)
	accepted := 0
	for length := 1500; length < 2048; length++ {
		repositories := []string{strings.Repeat("a", length)}
		role, err := newRole(t, "arn:{partition}:iam::{account}:role/pull").WithPolicy(rule.PullOnly, repositories)
		if err != nil {
			checkTooLong(t, role, err)
			break
		}
		accepted = longestPolicy(t, role, registries, repositories)
	}
	if accepted != 2048 {
		t.Errorf("the longest accepted policy has %d characters, want 2048", accepted)
	}
}

func checkTooLong(t *testing.T, role rule.RoleTemplate, err error) {
	t.Helper()
	var n int
	if _, scan := fmt.Sscanf(err.Error(), "the session policy for the entry's repositories would have up to %d characters", &n); scan != nil || n <= 2048 ||
		!strings.HasSuffix(err.Error(), ", and STS takes 2048; name fewer or shorter repositories") {
		t.Errorf("got %v, want the message with a number above 2048", err)
	}
	if role.HasPolicy() {
		t.Error("the role has the policy in spite of the error")
	}
}

func longestPolicy(t *testing.T, role rule.RoleTemplate, registries []registry.Registry, repositories []string) int {
	t.Helper()
	longest := 0
	for _, reg := range registries {
		got, err := parameters(role, reg, repositories, values{Node: node})
		if err != nil {
			t.Fatal(err)
		}
		longest = max(longest, len(got.Policy))
	}
	return longest
}

// allRegistries returns one registry of each partition. Their regions have the longest
// names that package registry accepts.
func allRegistries(t *testing.T) []registry.Registry {
	t.Helper()
	var all []registry.Registry
	for prefix, suffix := range map[string]string{
		"us": "amazonaws.com", "us-gov": "amazonaws.com", "cn": "amazonaws.com.cn", "eusc-de": "amazonaws.eu",
		"us-iso": "c2s.ic.gov", "us-isob": "sc2s.sgov.gov", "eu-isoe": "cloud.adc-e.uk", "us-isof": "csp.hci.ic.gov",
	} {
		name := teamA + ".dkr.ecr." + prefix + "-" + strings.Repeat("x", 20) + "-99." + suffix + "/app"
		image, ok := registry.Parse(name)
		if !ok {
			t.Fatalf("%s: %v", name, registry.WhyNotECR(name))
		}
		all = append(all, image.Registry())
	}
	return all
}

// prefixes returns n prefixes of a given length.
func prefixes(n, length int) []string {
	all := make([]string, n)
	for i := range all {
		all[i] = strings.Repeat(string(rune('a'+i%26)), length)
	}
	return all
}
