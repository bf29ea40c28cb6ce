package config_test

import (
	"slices"
	"strings"
	"testing"

	"ecr-cross-account-credential-provider/pkg/config"
)

const good = `apiVersion: ecr-cross-account-credential-provider/v1alpha1
kind: CrossAccountConfig
registries:
- accounts: ["444455556666"]
`

// TestLoadContent tests contents that cannot be text files in testdata.
func TestLoadContent(t *testing.T) {
	t.Parallel()
	const (
		empty  = "empty; want at least apiVersion, kind and registries"
		binary = "not a text file in UTF-8; want YAML"
	)
	tests := []struct {
		name, data string
		want       []string // none if there are no problems
	}{
		{"empty", "", []string{empty}},
		{"blanks", " \n\n\t\n"[:3], []string{empty}},
		{"a line end", "\r\n", []string{empty}},
		{"three dashes", "---\n", []string{"2: " + empty}},
		{"only a byte order mark", "\ufeff", []string{empty}},
		{"a byte order mark first", "\ufeff" + good, nil},
		{"no final line end", strings.TrimSuffix(good, "\n"), nil},
		{"a document ended", good + "...\n", nil},
		{"an empty second document", good + "---\n", []string{"5: a second YAML document starts here; want only one, so remove it"}},
		{"a program", "\x7fELF\x02\x01\x01\x00\x00\x00", []string{binary}},
		{"compressed", "\x1f\x8b\x08\x00\x00", []string{binary}},
		{"NUL in a comment", good + "# \x00\n", []string{binary}},
		{"Latin-1", good + "# Schl\xfcssel\n", []string{binary}},
		{"UTF-16", "\xff\xfea\x00:\x00 \x001\x00", []string{binary}},
		{"control character", good + "# \x01\n", []string{"5: not YAML: control characters are not allowed"}},
		{"at the size limit", good + "#" + strings.Repeat("x", 1<<20-len(good)-1), nil},
		{"a byte over the size limit", good + "#" + strings.Repeat("x", 1<<20-len(good)), []string{"larger than 1048576 bytes; this is probably not the configuration"}},
		{"much larger", strings.Repeat(good, 1<<14), []string{"larger than 1048576 bytes; this is probably not the configuration"}},
		{
			"a value is too long", strings.Replace(good, "444455556666", strings.Repeat("4", 1<<16), 1),
			[]string{`4: registries[0].accounts[0]: has 65536 characters; at most 4096 are allowed`},
		},
		{
			"a long value is cut", strings.Replace(good, "444455556666", strings.Repeat("4", 1<<12), 1),
			[]string{`4: registries[0].accounts[0]: "` + strings.Repeat("4", 64) + `…" is not an account; want 12 digits, quoted or not, or own`},
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			file := write(t, test.data)
			_, err := config.Load(file, nil)
			if test.want == nil {
				if err != nil {
					t.Error(err)
				}
				return
			}
			compare(t, problems(t, file, err), test.want)
		})
	}
}

// TestLoadDeep: neither deep nesting nor aliases within aliases use up the node's
// memory.
func TestLoadDeep(t *testing.T) {
	t.Parallel()
	laughs := "a0: &a0 [x, x]\n"
	for i := range 40 {
		from, to := string(rune('a'+i/10))+string(rune('0'+i%10)), string(rune('a'+(i+1)/10))+string(rune('0'+(i+1)%10))
		laughs += to + ": &" + to + " [*" + from + ", *" + from + "]\n"
	}
	tests := map[string]string{
		"brackets":     strings.Repeat("[", 1<<16),
		"mappings":     strings.Repeat("{a: ", 1<<16),
		"laughs":       laughs + "registries: *" + "e0\n",
		"endless":      "registries: &r [*r]\n",
		"self":         "&r {registries: *r, sts: *r, cache: *r}\n",
		"typed laughs": good + "  assumeRoles: &roles [" + strings.Repeat("{}, ", 999) + "{}]\n" + strings.Repeat("- {assumeRoles: *roles}\n", 999),
		"deep items":   good + "  regions: " + strings.Repeat("[", 1<<12) + strings.Repeat("]", 1<<12) + "\n",
	}
	for name, data := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			file := write(t, data)
			_, err := config.Load(file, nil)
			if len(problems(t, file, err)) == 0 {
				t.Error("got no problems, want some")
			}
		})
	}
}

func TestLoadRoleFlags(t *testing.T) {
	t.Parallel()
	const (
		roleA = "444455556666=arn:aws:iam::444455556666:role/ecr-pull"
		roleB = "777788889999=arn:{partition}:iam::{account}:role/{region}"
		zeros = "000000000012=arn:aws:iam::000000000012:role/ecr-pull"
	)
	tests := []struct {
		name, file string
		roles      []config.RoleFlag
		want       []string // like the comments of testdata/*.good.yaml
		problems   []string
	}{
		{
			name: "none",
			want: []string{"settings: unmatched Node, sts Node, deadline 20s", "444455556666/eu-west-1/app: none"},
		},
		{
			name: "without a file", roles: []config.RoleFlag{roleA, roleB, zeros},
			want: []string{
				"settings: unmatched Node, sts Node, deadline 20s",
				"444455556666/eu-west-1/app: --role 444455556666 arn:aws:iam::444455556666:role/ecr-pull as node-1 for 1h0m0s",
				"777788889999/cn-north-1/app: --role 777788889999 arn:aws-cn:iam::777788889999:role/cn-north-1 as node-1 for 1h0m0s",
				"000000000012/eu-west-1/app: --role 000000000012 arn:aws:iam::000000000012:role/ecr-pull as node-1 for 1h0m0s",
				"111122223333/eu-west-1/app: none",
			},
		},
		{
			name: "beside a file", file: good + "unmatched: None\n", roles: []config.RoleFlag{roleB},
			want: []string{
				"settings: unmatched None, sts Node, deadline 20s",
				"444455556666/eu-west-1/app: registries[0]",
				"777788889999/eu-west-1/app: --role 777788889999 arn:aws:iam::777788889999:role/eu-west-1 as node-1 for 1h0m0s",
			},
		},
		{
			name: "beside star", file: strings.Replace(good, "444455556666", "*", 1), roles: []config.RoleFlag{roleA},
			want: []string{
				"settings: unmatched Node, sts Node, deadline 20s",
				"444455556666/eu-west-1/app: --role 444455556666 arn:aws:iam::444455556666:role/ecr-pull as node-1 for 1h0m0s",
				"777788889999/eu-west-1/app: registries[0]",
			},
		},
		{
			name: "in another account", roles: []config.RoleFlag{"444455556666=arn:aws:iam::777788889999:role/x"},
			want: []string{"444455556666/eu-west-1/app: --role 444455556666 arn:aws:iam::777788889999:role/x as node-1 for 1h0m0s"},
		},
		{
			name: "named by the file", file: good, roles: []config.RoleFlag{roleA},
			problems: []string{"--role " + roleA + ": duplicate account 444455556666, named by registries[0]"},
		},
		{
			name: "named by an entry with a problem", file: good + "  region: x\n", roles: []config.RoleFlag{roleA},
			problems: []string{
				"--role " + roleA + ": duplicate account 444455556666, named by registries[0]",
				"5: registries[0].region: unknown field; did you mean regions?",
			},
		},
		{
			name: "duplicate", roles: []config.RoleFlag{roleA, roleB, roleA},
			problems: []string{"--role " + roleA + ": duplicate account 444455556666, named by --role 444455556666"},
		},
		{
			name: "bad ones", roles: []config.RoleFlag{
				"", "=", "444455556666", "arn:aws:iam::444455556666:role/x", "44445555666=arn:aws:iam::444455556666:role/x",
				"444455556666=ecr-pull", "444455556666=", "own=arn:aws:iam::444455556666:role/x", "*=arn:aws:iam::{account}:role/x",
				"444455556666=arn:aws:iam::444455556666:role/{node}", "a\nb", "x=" + config.RoleFlag(strings.Repeat("y", 100)),
			},
			problems: []string{
				`--role "": want ACCOUNT=ROLE_ARN`,
				`--role =: "" is not an account number; want 12 digits`,
				`--role 444455556666: want ACCOUNT=ROLE_ARN`,
				`--role arn:aws:iam::444455556666:role/x: want ACCOUNT=ROLE_ARN`,
				`--role 44445555666=arn:aws:iam::444455556666:role/x: "44445555666" is not an account number; want 12 digits`,
				`--role 444455556666=ecr-pull: "ecr-pull" is not an IAM role ARN; want arn:PARTITION:iam::ACCOUNT:role/NAME`,
				`--role 444455556666=: "" is not an IAM role ARN; want arn:PARTITION:iam::ACCOUNT:role/NAME`,
				`--role own=arn:aws:iam::444455556666:role/x: "own" is not an account number; want 12 digits`,
				`--role *=arn:aws:iam::{account}:role/x: "*" is not an account number; want 12 digits`,
				`--role 444455556666=arn:aws:iam::444455556666:role/{node}: "arn:aws:iam::444455556666:role/{node}": unknown placeholder "{node}"; here {account}, {region}, {partition} can be used`,
				`--role "a\nb": want ACCOUNT=ROLE_ARN`,
				`--role x=` + strings.Repeat("y", 62) + `…: "x" is not an account number; want 12 digits`,
			},
		},
		{
			name: "and a bad file", file: "kind: CrossAccountConfig\n", roles: []config.RoleFlag{"x"},
			problems: []string{
				"--role x: want ACCOUNT=ROLE_ARN",
				"1: apiVersion: is required; want ecr-cross-account-credential-provider/v1alpha1",
				"1: registries: is required; want a list of entries with accounts",
			},
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			file := ""
			if test.file != "" {
				file = write(t, test.file)
			}
			if test.problems == nil {
				checkLoaded(t, file, test.roles, test.want)
				return
			}
			_, err := config.Load(file, test.roles)
			compare(t, problems(t, file, err), test.problems)
		})
	}
}

func TestDefault(t *testing.T) {
	t.Parallel()
	if got, want := settings(config.Default()), "unmatched Node, sts Node, deadline 20s"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// TestProblemsError: the kubelet puts stderr of a failed call into one value of its
// log, so all problems are in one line.
func TestProblemsError(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name     string
		problems config.Problems
		want     string
	}{
		{"all fields", config.Problems{{File: "/etc/c.yaml", Line: 4, Path: "deadline", Message: "is required"}}, "/etc/c.yaml:4: deadline: is required"},
		{"of the file", config.Problems{{File: "/etc/c.yaml", Message: "empty"}}, "/etc/c.yaml: empty"},
		{"without path", config.Problems{{File: "/etc/c.yaml", Line: 1, Message: "not YAML"}}, "/etc/c.yaml:1: not YAML"},
		{"of the command line", config.Problems{{Path: "--role x", Message: "want y"}}, "--role x: want y"},
		{"several", config.Problems{{Path: "a", Message: "b"}, {File: "c", Line: 2, Path: "d", Message: "e"}}, "a: b; c:2: d: e"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			if got := test.problems.Error(); got != test.want {
				t.Errorf("got %s, want %s", got, test.want)
			}
		})
	}
}

// TestProblemsAreInOrder: problems of the command line come first, then those of
// the file in its order.
func TestProblemsAreInOrder(t *testing.T) {
	t.Parallel()
	_, err := config.Load(write(t, read(t, "testdata/several.bad.yaml")), []config.RoleFlag{"x"})
	found, ok := err.(config.Problems) //nolint:errorlint // Load says so
	if !ok || len(found) < 5 {
		t.Fatalf("got %v, want at least 5 problems", err)
	}
	if !slices.IsSortedFunc(found, func(a, b config.Problem) int { return a.Line - b.Line }) {
		t.Errorf("got %v, want the order of lines", err)
	}
	if found[0].File != "" || found[0].Line != 0 {
		t.Errorf("got %v first, want the problem of --role", found[0])
	}
}
