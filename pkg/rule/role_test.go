package rule_test

import (
	"reflect"
	"regexp"
	"strings"
	"testing"
	"time"

	"ecr-cross-account-credential-provider/pkg/registry"
	"ecr-cross-account-credential-provider/pkg/rule"
)

const pull = "arn:aws:iam::444455556666:role/ecr-pull"

func TestNewRoleTemplate(t *testing.T) {
	t.Parallel()
	name64, path512 := strings.Repeat("n", 64), strings.Repeat("p", 510)+"/" // IAM also counts the leading slash
	tests := []struct{ name, arn, want string }{
		{"plain", pull, pull},
		{"path", "arn:aws:iam::444455556666:role/a/b/ecr-pull", "arn:aws:iam::444455556666:role/a/b/ecr-pull"},
		{"leading zeros", "arn:aws:iam::000000000012:role/x", "arn:aws:iam::000000000012:role/x"},
		{"all letters of a name", "arn:aws:iam::444455556666:role/aZ0_+=,.@-", "arn:aws:iam::444455556666:role/aZ0_+=,.@-"},
		{"longest name", "arn:aws:iam::444455556666:role/" + name64, "arn:aws:iam::444455556666:role/" + name64},
		{"longest path", "arn:aws:iam::444455556666:role/" + path512 + "x", "arn:aws:iam::444455556666:role/" + path512 + "x"},
		{"all placeholders", "arn:{partition}:iam::{account}:role/{region}/pull-{account}", "arn:aws:iam::777788889999:role/eu-west-1/pull-777788889999"},
		{"partition in the name", "arn:aws:iam::444455556666:role/{partition}-pull", "arn:aws:iam::444455556666:role/aws-pull"},
		{"a repeated placeholder", "arn:aws:iam::{account}:role/{region}-{region}", "arn:aws:iam::777788889999:role/eu-west-1-eu-west-1"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			role := newRole(t, test.arn)
			if role.Template() != test.arn {
				t.Errorf("Template() = %s, want %s", role.Template(), test.arn)
			}
			got := resolve(t, role, teamB+"/eu-west-1/app")
			want := rule.Parameters{ARN: test.want, SessionName: "node-1", Duration: time.Hour}
			if !reflect.DeepEqual(got, want) {
				t.Errorf("got %+v, want %+v", got, want)
			}
		})
	}
}

func TestNewRoleTemplateBad(t *testing.T) {
	t.Parallel()
	const (
		form = "arn:PARTITION:iam::ACCOUNT:role/NAME"
		name = "a role's name has 1 to 64 letters, digits or any of _+=,.@-"
		path = "a role's path has at most 512 letters, digits or any of _+=,.@- in parts separated by one slash"
		all  = "here {account}, {region}, {partition} can be used"
	)
	partition := func(s string) string {
		return `"` + s + `" is not a partition; want one of aws, aws-us-gov, aws-cn, aws-eusc, aws-iso, aws-iso-b, aws-iso-e, aws-iso-f`
	}
	account := func(s string) string { return `"` + s + `" is not an account number; want 12 digits` }
	tests := []struct{ name, arn, want string }{ // want is the end of the message
		{"empty", "", `"" is not an IAM role ARN; want ` + form},
		{"name alone", "ecr-pull", `"ecr-pull" is not an IAM role ARN; want ` + form},
		{"one colon too few", "arn:aws:iam:444455556666:role/x", "is not an IAM role ARN; want " + form},
		{"one colon too many", "arn:aws:iam:::444455556666:role/x", account("")},
		{"region", "arn:aws:iam:eu-west-1:444455556666:role/x", "is not an IAM role ARN; want " + form},
		{"other service", "arn:aws:s3:::444455556666:role/x", "is not an IAM role ARN; want " + form},
		{"session of STS", "arn:aws:sts::444455556666:assumed-role/x/y", "is not an IAM role ARN; want " + form},
		{"capitals", "ARN:aws:iam::444455556666:role/x", "is not an IAM role ARN; want " + form},
		{"space before", " " + pull, "is not an IAM role ARN; want " + form},
		{"user", "arn:aws:iam::444455556666:user/x", "is not an IAM role ARN: want " + form},
		{"root", "arn:aws:iam::444455556666:root", "is not an IAM role ARN: want " + form},
		{"Role", "arn:aws:iam::444455556666:Role/x", "is not an IAM role ARN: want " + form},
		{"instance profile", "arn:aws:iam::444455556666:instance-profile/x", "is not an IAM role ARN: want " + form},
		{"type from a placeholder", "arn:aws:iam::444455556666:{region}/x", "is not an IAM role ARN: want " + form},

		{"no partition", "arn::iam::444455556666:role/x", partition("")},
		{"unknown partition", "arn:aws-mars:iam::444455556666:role/x", partition("aws-mars")},
		{"glob for partition", "arn:*:iam::444455556666:role/x", partition("*")},
		{"placeholder in a partition", "arn:aws-{region}:iam::444455556666:role/x", partition("aws-{region}")},
		{"11 digits", "arn:aws:iam::44445555666:role/x", account("44445555666")},
		{"glob for account", "arn:aws:iam::*:role/x", "the account cannot be a pattern; want its 12 digits, or {account} for the registry's"},
		{"AWS's own", "arn:aws:iam::aws:role/x", account("aws")},
		{"placeholder in an account", "arn:aws:iam::4444{account}:role/x", account("4444{account}")},
		{"unknown placeholder for account", "arn:aws:iam::{own}:role/x", account("{own}")},

		{"no name", "arn:aws:iam::444455556666:role/", name},
		{"path without name", "arn:aws:iam::444455556666:role/a/", name},
		{"glob", "arn:aws:iam::444455556666:role/ecr-*", name},
		{"colon", "arn:aws:iam::444455556666:role/x:y", name},
		{"space", "arn:aws:iam::444455556666:role/x y", name},
		{"newline", pull + "\n", name},
		{"NUL", pull + "\x00", name},
		{"other letters", "arn:aws:iam::444455556666:role/zurück", name},
		{"long name", "arn:aws:iam::444455556666:role/" + strings.Repeat("n", 65), name},
		{"name that {account} makes too long", "arn:aws:iam::{account}:role/{account}-" + strings.Repeat("n", 52), name},
		{"double slash", "arn:aws:iam::444455556666:role//x", path},
		{"double slash inside", "arn:aws:iam::444455556666:role/a//x", path},
		{"glob in the path", "arn:aws:iam::444455556666:role/*/x", path},
		{"newline in the path", "arn:aws:iam::444455556666:role/a\n/x", path},
		{"long path", "arn:aws:iam::444455556666:role/" + strings.Repeat("p", 511) + "/x", path},

		{"unknown placeholder", "arn:aws:iam::444455556666:role/{acount}", `"arn:aws:iam::444455556666:role/{acount}": unknown placeholder "{acount}"; did you mean {account}?`},
		{"{node}", "arn:aws:iam::444455556666:role/{node}", `unknown placeholder "{node}"; ` + all},
		{"empty placeholder", "arn:aws:iam::444455556666:role/{}", `unknown placeholder "{}"; ` + all},
		{"spaces in a placeholder", "arn:aws:iam::444455556666:role/{ account }", `unknown placeholder "{ account }"; did you mean {account}?`},
		{"newline in a placeholder", "arn:aws:iam::444455556666:role/{a\nb}", `unknown placeholder "{a\nb}"; ` + all},
		{"double braces", "arn:aws:iam::444455556666:role/{{account}}", `unknown placeholder "{{account}"; did you mean {account}?`},
		{"open brace", "arn:aws:iam::444455556666:role/{account", `"arn:aws:iam::444455556666:role/{account" has a { without a }`},
		{"closing brace", "arn:aws:iam::444455556666:role/account}", `"arn:aws:iam::444455556666:role/account}" has a } without a {`},
		{"closing brace more", "arn:aws:iam::444455556666:role/{account}}", `"arn:aws:iam::444455556666:role/{account}}" has a } without a {`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			_, err := rule.NewRoleTemplate(test.arn)
			if err == nil {
				t.Fatal("got no error, want one")
			}
			if !strings.HasSuffix(err.Error(), test.want) || strings.ContainsAny(err.Error(), "\n\x00") {
				t.Errorf("got %q\nwant it to end in %q", err, test.want)
			}
		})
	}
	_, err := rule.NewRoleTemplate("arn:aws:iam::444455556666:role/" + strings.Repeat("n", 1<<20))
	if err == nil || len(err.Error()) > 500 {
		t.Errorf("an endless name: got %.600v, want an error of at most 500 characters", err)
	}
}

func TestRoleTemplatePartition(t *testing.T) {
	t.Parallel()
	tests := []struct {
		arn   string
		want  registry.Partition
		fixed bool
	}{
		{pull, registry.AWS, true},
		{"arn:aws-us-gov:iam::{account}:role/x", registry.AWSUSGov, true},
		{"arn:{partition}:iam::{account}:role/x", registry.Partition{}, false},
	}
	for _, test := range tests {
		t.Run(test.arn, func(t *testing.T) {
			t.Parallel()
			if got, fixed := newRole(t, test.arn).Partition(); got != test.want || fixed != test.fixed {
				t.Errorf("got %s, %t, want %s, %t", got, fixed, test.want, test.fixed)
			}
		})
	}
}

func TestForAnotherPartition(t *testing.T) {
	t.Parallel()
	_, err := parameters(newRole(t, pull), newImage(t, teamA+"/cn-north-1/app").Registry(), nil, values{Node: node})
	want := "role " + pull + " is in partition aws and the registry in aws-cn; roles are assumed within one partition only"
	if err == nil || err.Error() != want {
		t.Errorf("got %v\nwant %s", err, want)
	}
	for _, arn := range []string{"arn:{partition}:iam::{account}:role/ecr-pull", "arn:aws-cn:iam::444455556666:role/ecr-pull"} {
		got := resolve(t, newRole(t, arn), teamA+"/cn-north-1/app")
		if want := "arn:aws-cn:iam::444455556666:role/ecr-pull"; got.ARN != want {
			t.Errorf("got %s, want %s", got.ARN, want)
		}
	}
}

func TestWithExternalID(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, id string
		ok       bool
	}{
		{"shortest", "ab", true},
		{"all letters", "aZ0_+=,.@:/-", true},
		{"longest", strings.Repeat("x", 1224), true},
		{"none", "", false},
		{"too short", "a", false},
		{"too long", strings.Repeat("x", 1225), false},
		{"space", "a b", false},
		{"newline", "ab\n", false},
		{"NUL", "ab\x00", false},
		{"other letters", "schlüssel", false},
		{"placeholder", "{account}", false},
		{"quote", `a"b`, false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			role, err := newRole(t, pull).WithExternalID(test.id)
			if (err == nil) != test.ok || role.HasExternalID() != test.ok {
				t.Fatalf("HasExternalID() = %t, error %v; want it accepted: %t", role.HasExternalID(), err, test.ok)
			}
			want := ""
			if test.ok {
				want = test.id
			} else if want := "an external ID has 2 to 1224 letters, digits or any of _+=,.@:/-"; err.Error() != want {
				t.Errorf("got %v\nwant %s", err, want)
			}
			if got := resolve(t, role, teamA+"/eu-west-1/app").ExternalID; got != want {
				t.Errorf("the role's external ID is %q, want %q", got, want)
			}
		})
	}
	if newRole(t, pull).HasExternalID() {
		t.Error("a new role has an external ID, want none")
	}
}

func TestRoleTemplatePartitionAndAccount(t *testing.T) {
	t.Parallel()
	tests := []struct{ arn, partition, account string }{
		{pull, "aws", teamA},
		{"arn:aws-cn:iam::{account}:role/x", "aws-cn", ""},
		{"arn:{partition}:iam::000000000012:role/x", "", zeros},
		{"arn:{partition}:iam::{account}:role/x", "", ""},
	}
	for _, test := range tests {
		t.Run(test.arn, func(t *testing.T) {
			t.Parallel()
			role := newRole(t, test.arn)
			if p, fixed := role.Partition(); p.String() != test.partition || fixed != (test.partition != "") {
				t.Errorf("got partition %q, %t, want %q", p, fixed, test.partition)
			}
			if a, fixed := role.Account(); a.String() != test.account || fixed != (test.account != "") {
				t.Errorf("got account %q, %t, want %q", a, fixed, test.account)
			}
		})
	}
	if _, fixed := (rule.RoleTemplate{}).Account(); fixed {
		t.Error("the zero value has an account, want none")
	}
}

func TestWithSessionName(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, template, node, want string }{
		{"plain", "kubelet", "i-0abc", "kubelet"},
		{"two letters", "ab", "i-0abc", "ab"},
		{"64 letters", strings.Repeat("x", 64), "i-0abc", strings.Repeat("x", 64)},
		{"all letters", "aZ0_+=,.@-", "i-0abc", "aZ0_+=,.@-"},
		{"node", "{node}", "i-0123456789abcdef0", "i-0123456789abcdef0"},
		{"all placeholders", "{node}@{account}.{region}", "i-0abc", "i-0abc@444455556666.eu-west-1"},
		{"host name", "{node}", "ip-10-0-0-1.eu-west-1.compute.internal", "ip-10-0-0-1.eu-west-1.compute.internal"},
		{"node with letters that are replaced", "{node}", "knoten/1 ü", "knoten-1---"},
		{"node with a newline", "{node}", "a\nb\x00c", "a-b-c"},
		{"node with quotes", "{node}", `a"b\c`, "a-b-c"},
		{"short node", "{node}", "x", "x-"},
		{"no node", "{node}", "", "--"},
		{"long node", "{node}", strings.Repeat("h", 253), strings.Repeat("h", 64)},
		{"long with the node's name", "{region}-{node}", strings.Repeat("h", 60), "eu-west-1-" + strings.Repeat("h", 54)},
		{"placeholder as the node's name", "{node}", "{account}", "-account-"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			template, err := newRole(t, pull).WithSessionName(test.template, rule.Placeholders(false))
			if err != nil {
				t.Fatal(err)
			}
			role, err := parameters(template, newImage(t, teamA+"/eu-west-1/app").Registry(), nil, values{Node: func() string { return test.node }})
			if err != nil {
				t.Fatal(err)
			}
			if role.SessionName != test.want {
				t.Errorf("got %q, want %q", role.SessionName, test.want)
			}
		})
	}
}

func TestWithSessionNameBad(t *testing.T) {
	t.Parallel()
	const letters = ": a session name has 2 to 64 letters, digits or any of _+=,.@-"
	tests := []struct{ name, template, want string }{
		{"none", "", `""` + letters},
		{"one letter", "x", `"x": a session name has 2 to 64 characters`},
		{"65 letters", strings.Repeat("x", 65), `"` + strings.Repeat("x", 65) + `": a session name has 2 to 64 characters`},
		{"space", "my node", `"my node"` + letters},
		{"slash", "team/{node}", `"team/{node}"` + letters},
		{"colon", "{account}:{node}", `"{account}:{node}"` + letters},
		{"newline", "ab\n", `"ab\n"` + letters},
		{"other letters", "knoten-ü", `"knoten-ü"` + letters},
		{"unknown placeholder", "{nod}", `"{nod}": unknown placeholder "{nod}"; did you mean {node}?`},
		{"partition", "{partition}", `"{partition}": unknown placeholder "{partition}"; here {node}, {account}, {region} can be used`},
		{"open brace", "{node", `"{node" has a { without a }`},
		{"closing brace", "node}", `"node}" has a } without a {`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			role, err := newRole(t, pull).WithSessionName(test.template, rule.Placeholders(false))
			if err == nil || err.Error() != test.want {
				t.Errorf("got %v\nwant %s", err, test.want)
			}
			if got, want := resolve(t, role, teamA+"/eu-west-1/app"), resolve(t, newRole(t, pull), teamA+"/eu-west-1/app"); got.SessionName != want.SessionName {
				t.Errorf("in spite of the error, the name became %q, want %q", got.SessionName, want.SessionName)
			}
		})
	}
}

// TestParametersAskForTheNodeLate: Parameters asks for the node's name only if the role
// needs the name, because the answer may need a call to IMDS.
func TestParametersAskForTheNodeLate(t *testing.T) {
	t.Parallel()
	role, err := newRole(t, pull).WithSessionName("kubelet-{account}", rule.Placeholders(false))
	if err != nil {
		t.Fatal(err)
	}
	_, err = parameters(role, newImage(t, teamA+"/eu-west-1/app").Registry(), nil, values{Node: func() string {
		t.Error("Parameters asks for the node's name")
		return ""
	}})
	if err != nil {
		t.Error(err)
	}
}

func TestWithDuration(t *testing.T) {
	t.Parallel()
	const first, chained = false, true
	tests := []struct {
		name     string
		duration time.Duration
		chained  bool
		want     string // "" if it is accepted
	}{
		{"shortest", 15 * time.Minute, first, ""},
		{"longest", 12 * time.Hour, first, ""},
		{"seconds", 15*time.Minute + time.Second, first, ""},
		{"a second too short", 15*time.Minute - time.Second, first, "14m59s is not allowed; want 15m to 12h in whole seconds"},
		{"a second too long", 12*time.Hour + time.Second, first, "12h0m1s is not allowed; want 15m to 12h in whole seconds"},
		{"ten minutes", 10 * time.Minute, first, "10m is not allowed; want 15m to 12h in whole seconds"},
		{"a day", 24 * time.Hour, first, "24h is not allowed; want 15m to 12h in whole seconds"},
		{"a part of a second", time.Hour + time.Millisecond, first, "1h0m0.001s is not allowed; want 15m to 12h in whole seconds"},
		{"none", 0, first, "0s is not allowed; want 15m to 12h in whole seconds"},
		{"negative", -time.Hour, first, "-1h is not allowed; want 15m to 12h in whole seconds"},
		{"shortest, chained", 15 * time.Minute, chained, ""},
		{"longest, chained", time.Hour, chained, ""},
		{"a second too short, chained", 15*time.Minute - time.Second, chained, "14m59s is not allowed; want 15m to 1h in whole seconds for a role assumed by another role"},
		{"a second too long, chained", time.Hour + time.Second, chained, "1h0m1s is not allowed; want 15m to 1h in whole seconds for a role assumed by another role"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			role, err := newRole(t, pull).WithDuration(test.duration, test.chained)
			want := test.duration
			if test.want != "" {
				want = rule.DefaultDuration
				if err == nil || err.Error() != test.want {
					t.Errorf("got %v\nwant %s", err, test.want)
				}
			} else if err != nil {
				t.Error(err)
			}
			if got := resolve(t, role, teamA+"/eu-west-1/app").Duration; got != want {
				t.Errorf("the duration is %s, want %s", got, want)
			}
		})
	}
}

// TestWithLeavesTheOriginal: changing a template leaves the original unchanged.
func TestWithLeavesTheOriginal(t *testing.T) {
	t.Parallel()
	original := newRole(t, pull)
	before := resolve(t, original, teamA+"/eu-west-1/app")
	changed, err := original.WithExternalID("secret")
	if err == nil {
		changed, err = changed.WithSessionName("other", rule.Placeholders(false))
	}
	if err == nil {
		changed, err = changed.WithDuration(2*time.Hour, false)
	}
	if err != nil {
		t.Fatal(err)
	}
	want := rule.Parameters{ARN: pull, ExternalID: "secret", SessionName: "other", Duration: 2 * time.Hour}
	if got := resolve(t, changed, teamA+"/eu-west-1/app"); !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
	if after := resolve(t, original, teamA+"/eu-west-1/app"); !reflect.DeepEqual(after, before) {
		t.Errorf("the original became %+v, want %+v", after, before)
	}
}

// stsName is the pattern of a RoleSessionName (STS API, AssumeRole). stsARN is the
// pattern of a role's ARN.
var (
	stsName = regexp.MustCompile(`^[A-Za-z0-9_+=,.@-]{2,64}$`)
	stsARN  = regexp.MustCompile(`^arn:aws:iam::[0-9]{12}:role/([A-Za-z0-9_+=,.@-]+/)*[A-Za-z0-9_+=,.@-]{1,64}$`)
)

// FuzzRole: for any configuration and node, STS gets a valid ARN and session name.
// No error has more than one line.
func FuzzRole(f *testing.F) {
	f.Add(pull, "{node}", "i-0abc")
	f.Add("arn:{partition}:iam::{account}:role/{region}/pull", "{account}-{node}", "ip-10-0-0-1.ec2.internal")
	f.Add("arn:aws:iam::{account}:role/a//b", "{", "\n")
	f.Fuzz(func(t *testing.T, arn, name, nodeName string) {
		role, err := rule.NewRoleTemplate(arn)
		if err != nil {
			checkOneLine(t, err)
			return
		}
		if named, err := role.WithSessionName(name, rule.Placeholders(false)); err != nil {
			checkOneLine(t, err)
		} else {
			role = named
		}
		got, err := parameters(role, newImage(t, teamA+"/us-east-1/app").Registry(), nil, values{Node: func() string { return nodeName }})
		if err != nil {
			checkOneLine(t, err)
			return
		}
		if !stsARN.MatchString(got.ARN) {
			t.Errorf("got the invalid ARN %q from %q", got.ARN, arn)
		}
		if !stsName.MatchString(got.SessionName) {
			t.Errorf("got the invalid session name %q from %q and node %q", got.SessionName, name, nodeName)
		}
		if again := newRole(t, role.Template()); again.Template() != arn {
			t.Errorf("got template %q, want %q", role.Template(), arn)
		}
	})
}

func checkOneLine(t *testing.T, err error) {
	t.Helper()
	if strings.ContainsAny(err.Error(), "\n\r\x00") {
		t.Errorf("got %q, want one line", err)
	}
}

func node() string { return "node-1" }

func newRole(t *testing.T, arn string) rule.RoleTemplate {
	t.Helper()
	role, err := rule.NewRoleTemplate(arn)
	if err != nil {
		t.Fatal(err)
	}
	return role
}

// values are the values of placeholders, except those of the registry.
type values struct {
	Node                      func() string
	Namespace, ServiceAccount string
}

// parameters resolves a role and fills in the node's name.
func parameters(role rule.RoleTemplate, reg registry.Registry, repositories []string, f values) (rule.Parameters, error) {
	resolved, err := role.Resolve(reg, repositories, &rule.Pod{Namespace: f.Namespace, ServiceAccount: f.ServiceAccount})
	if err != nil {
		return rule.Parameters{}, err
	}
	if f.Node == nil {
		f.Node = func() string { return "" }
	}
	return resolved.Parameters(f.Node)
}

func resolve(t *testing.T, role rule.RoleTemplate, image string) rule.Parameters {
	t.Helper()
	got, err := parameters(role, newImage(t, image).Registry(), nil, values{Node: node})
	if err != nil {
		t.Fatal(err)
	}
	return got
}
