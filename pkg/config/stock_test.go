package config_test

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"ecr-cross-account-credential-provider/pkg/config"
	"ecr-cross-account-credential-provider/pkg/registry"
	"ecr-cross-account-credential-provider/pkg/rule"
)

const (
	pull       = "arn:aws:iam::444455556666:role/ecr-pull"
	annotation = "eks.amazonaws.com/ecr-role-arn"
)

// TestUnmatched: without a file, unmatched registries are served as the stock plugin
// serves them. With a file, only entries serve service accounts.
func TestUnmatched(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, data string
		roles      []config.RoleFlag
		want       string
		stock      bool
	}{
		{"nothing", "", nil, "no configuration", true},
		{"a role", "", []config.RoleFlag{"444455556666=" + pull}, "no configuration", true},
		{"a file", good, nil, "unmatched: Node", false},
		{"a file and a role", good, []config.RoleFlag{"777788889999=" + pull}, "unmatched: Node", false},
		{"a file with unmatched", good + "unmatched: Node\n", nil, "unmatched: Node", false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			c := load(t, test.data, test.roles...)
			if c.UnmatchedNone || c.Unmatched.Name != test.want || len(c.Unmatched.Roles) > 0 {
				t.Errorf("got %+v, want %q without roles", c.Unmatched, test.want)
			}
			if got := c.Unmatched.ServiceAccount != nil; got != test.stock {
				t.Errorf("got service accounts served: %t, want %t", got, test.stock)
			}
			if test.stock {
				checkStock(t, *c.Unmatched.ServiceAccount)
			}
		})
	}
	checkStock(t, *config.Default().Unmatched.ServiceAccount)
}

// checkStock checks that an annotation may name any role, and that the node is the
// source if no role is named.
func checkStock(t *testing.T, s rule.ServiceAccount) {
	t.Helper()
	if !s.NodeWhenNoToken || !s.NodeWhenNoRole {
		t.Errorf("got %+v, want the node without a token, and without a role", s)
	}
	reg := parse(t, "777788889999/eu-west-1/app").Registry()
	if got, err := s.Role(reg, map[string]string{annotation: pull}); err != nil || got != pull {
		t.Errorf("with the annotation: got %q, %v; want %q", got, err, pull)
	}
	if _, err := s.Role(reg, nil); !errors.Is(err, rule.ErrNoRole) {
		t.Errorf("without the annotation: got %v, want %v", err, rule.ErrNoRole)
	}
}

func TestWithStockRole(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, data, arn, want, problem string }{ // want is the role of service accounts without annotation
		{"none", "", "", "", ""},
		{"a role", "", pull, pull, ""},
		{"not one", "", "ecr-pull", "", `$AWS_ECR_ROLE_ARN: "ecr-pull" is not an IAM role ARN; want arn:PARTITION:iam::ACCOUNT:role/NAME`},
		{"two lines", "", pull + "\n", "", `$AWS_ECR_ROLE_ARN: "` + pull + `\n" is not an IAM role ARN: a role's name has 1 to 64 letters, digits or any of _+=,.@-`},
		{"beside a file", good, pull, "", ""},
		{"not one, beside a file", good, "ecr-pull", "", ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			before := load(t, test.data)
			after, err := before.WithStockRole(test.arn)
			var found config.Problems
			if errors.As(err, &found) != (test.problem != "") || err != nil && err.Error() != test.problem {
				t.Errorf("got error %v, want %q", err, test.problem)
			}
			if got := unannotated(t, after); got != test.want {
				t.Errorf("got role %q, want %q", got, test.want)
			}
			if got := unannotated(t, before); got != "" {
				t.Errorf("got role %q in the original, want none", got)
			}
			if test.data == "" {
				s := *after.Unmatched.ServiceAccount
				s.RoleARN = nil
				checkStock(t, s)
			}
		})
	}
}

// unannotated returns the role of a service account without an annotation.
func unannotated(t *testing.T, c config.Config) string {
	t.Helper()
	if c.Unmatched.ServiceAccount == nil {
		return ""
	}
	arn, err := c.Unmatched.ServiceAccount.Role(parse(t, "777788889999/eu-west-1/app").Registry(), nil)
	if err != nil && !errors.Is(err, rule.ErrNoRole) {
		t.Error(err)
	}
	return arn
}

// TestNodeSource is not in testdata, because absolute paths differ between systems.
func TestNodeSource(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "aws", "config")
	tests := []struct {
		name, data string
		want       config.NodeSource
	}{
		{"neither", good, config.NodeSource{}},
		{"empty", good + "node: {profile: '', configFile: ''}\n", config.NodeSource{}},
		{"profile", good + "node: {profile: images}\n", config.NodeSource{Profile: "images"}},
		{"file", good + "node: {configFile: '" + file + "'}\n", config.NodeSource{ConfigFile: file}},
		{"both", good + "node: {configFile: '" + file + "', profile: 0012}\n", config.NodeSource{Profile: "0012", ConfigFile: file}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			if got := load(t, test.data).Node; got != test.want {
				t.Errorf("got %+v, want %+v", got, test.want)
			}
		})
	}
}

// TestEndpoints: endpoints are found by region.
func TestEndpoints(t *testing.T) {
	t.Parallel()
	c := load(t, good+"endpoints:\n  ecr: &all {eu-west-1: 'https://vpce.example', us-gov-west-1: 'https://gov.example'}\n  sts: *all\n")
	tests := []struct{ region, want string }{
		{"eu-west-1", "https://vpce.example"},
		{"us-gov-west-1", "https://gov.example"},
		{"eu-west-2", ""},
	}
	for _, test := range tests {
		t.Run(test.region, func(t *testing.T) {
			t.Parallel()
			region, err := registry.ParseRegion(test.region)
			if err != nil {
				t.Fatal(err)
			}
			if c.Endpoints.ECR[region] != test.want || c.Endpoints.STS[region] != test.want {
				t.Errorf("got %q and %q, want %q", c.Endpoints.ECR[region], c.Endpoints.STS[region], test.want)
			}
		})
	}
	if none := load(t, good).Endpoints; len(none.ECR)+len(none.STS) != 0 {
		t.Errorf("got %+v without endpoints in the file, want none", none)
	}
}

// TestLoadManyTags: at most 50 session tags are allowed, as in STS. The message
// names the first tag over the limit.
func TestLoadManyTags(t *testing.T) {
	t.Parallel()
	file := func(n int) string {
		var data strings.Builder
		data.WriteString(good + "  assumeRoles:\n  - arn: " + pull + "\n    sessionTags:\n")
		for i := range n {
			fmt.Fprintf(&data, "      key-%d: x\n", i)
		}
		return data.String()
	}
	load(t, file(50))
	path := write(t, file(51))
	_, err := config.Load(path, nil)
	line := strings.Count(file(51), "\n")
	compare(t, problems(t, path, err), []string{fmt.Sprintf("%d: registries[0].assumeRoles[0].sessionTags.key-50: is one too many; at most 50 are allowed", line)})
}

// TestLoadLongValues: no message repeats a long value in full.
func TestLoadLongValues(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", 1<<16)
	role := "  assumeRoles:\n  - arn: " + pull + "\n"
	source := "  source: ServiceAccount\n  serviceAccount: "
	for _, text := range []string{
		role + "    sessionTags: {" + long + ": x}\n",
		role + "    sessionTags: {k: " + long + "}\n",
		role + "    sessionTags: {k: '{" + long + "}'}\n",
		role + "    policy: " + long + "\n",
		"  source: " + long + "\n",
		source + long + "\n",
		source + "{allowedRoles: [" + long + "]}\n",
		source + "{allowedRoles: ['" + pull + "'], roleAnnotation: " + long + "}\n",
		source + "{allowedRoles: ['" + pull + "'], roleARN: " + long + "}\n",
		source + "{allowedRoles: ['" + pull + long + "', '" + pull + long + "']}\n",
		"endpoints: {ecr: {" + long + ": 'https://ecr.example'}}\n",
		"endpoints: {ecr: {eu-west-1: '" + long + "'}}\n",
		"endpoints: " + long + "\n",
		"node: {configFile: " + long + "}\n",
		"node: " + long + "\n",
	} {
		path := write(t, good+text)
		_, err := config.Load(path, nil)
		for _, line := range problems(t, path, err) {
			if len(line) > 1000 {
				t.Errorf("got a message of %d bytes, want at most 1000: %s…", len(line), line[:200])
			}
		}
	}
}

// load loads a file's content. Empty content means no file.
func load(t *testing.T, data string, roles ...config.RoleFlag) config.Config {
	t.Helper()
	file := ""
	if data != "" {
		file = write(t, data)
	}
	c, err := config.Load(file, roles)
	if err != nil {
		t.Fatal(err)
	}
	return c
}
