package iamfile

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"ecr-cross-account-credential-provider/pkg/iampolicy"
)

// run runs a script with a shell function in place of the AWS CLI. answers are pairs: a part
// of a command line, and the output of the command. The first pair that fits counts. For
// other commands, the resource does not exist. run also returns the command lines.
func run(t *testing.T, items []iampolicy.Item, answers ...string) (output, calls string, err error) {
	t.Helper()
	var text strings.Builder
	text.WriteString("aws() {\n  echo \"$*\" >>\"$CALLS\"\n  case \"$*\" in\n")
	for pair := range slices.Chunk(answers, 2) {
		fmt.Fprintf(&text, "  *'%s'*) printf %%s '%s' ;;\n", pair[0], pair[1])
	}
	text.WriteString("  *) echo NoSuchEntity >&2; return 254 ;;\n  esac\n}\n")
	if err := WriteScript(&text, items); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "calls")
	cmd := exec.CommandContext(t.Context(), "sh", "-c", text.String())
	cmd.Env = []string{"PATH=/usr/bin:/bin", "TMPDIR=" + t.TempDir(), "CALLS=" + file}
	out, err := cmd.CombinedOutput()
	lines, unread := os.ReadFile(file)
	if unread != nil {
		t.Fatalf("%v\n%s", unread, out)
	}
	return string(out), string(lines), err
}

// existing returns the answers for a role that is up to date.
func existing(t *testing.T, items []iampolicy.Item) []string {
	t.Helper()
	documents := make([]string, len(items))
	for i := range items {
		text, err := json.Marshal(items[i].Policy)
		if err != nil {
			t.Fatal(err)
		}
		documents[i] = string(text)
	}
	return []string{
		"get-caller-identity", "444455556666", "Role.AssumeRolePolicyDocument", documents[0], "Role.Path", "/",
		"Role.MaxSessionDuration", "7200", "list-role-tags", TagValue, "get-role-policy", documents[1], "iam update-", "", "iam put-", "",
	}
}

// TestScriptOfExistingRole: the script keeps what a role already has, and stops if it cannot
// change the role.
func TestScriptOfExistingRole(t *testing.T) {
	t.Parallel()
	items := roleItems("arn:aws:iam::444455556666:role/pull")
	tests := []struct {
		name    string
		answers []string // in place of those of a role that is up to date
		want    string
		changes []string
		fails   bool
	}{
		{name: "up to date", want: "the trust policy of role pull is up to date\npolicy pull of role pull is up to date\n"},
		{
			name: "another path", answers: []string{"Role.Path", "/team/"}, fails: true,
			want: "role pull has the path /team/, not /, and IAM cannot change a path; correct the ARN in the configuration, or delete the role\n",
		},
		{
			name: "another trust policy and a longer session", answers: []string{"Role.AssumeRolePolicyDocument", "{}", "Role.MaxSessionDuration", "43200"},
			want:    "updated the trust policy of role pull\npolicy pull of role pull is up to date\n",
			changes: []string{"iam update-assume-role-policy --role-name pull "},
		},
		{
			name: "a shorter session", answers: []string{"Role.MaxSessionDuration", "3600"},
			want:    "updated the trust policy of role pull\npolicy pull of role pull is up to date\n",
			changes: []string{"iam update-assume-role-policy --role-name pull ", "iam update-role --role-name pull --max-session-duration 7200"},
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			output, calls, err := run(t, items, slices.Concat(test.answers, existing(t, items))...)
			if output != test.want || (err != nil) != test.fails {
				t.Errorf("got error %v and %s\nwant an error: %t, and %s", err, output, test.fails, test.want)
			}
			var changes []string
			for line := range strings.Lines(calls) {
				if !strings.Contains(line, " get-") && !strings.Contains(line, " list-") {
					changes = append(changes, line)
				}
			}
			if !slices.EqualFunc(changes, test.changes, strings.HasPrefix) {
				t.Errorf("got changes %q, want %q", changes, test.changes)
			}
		})
	}
}

// TestScriptOfMissingNodeRole: the script does not create the nodes' role.
func TestScriptOfMissingNodeRole(t *testing.T) {
	t.Parallel()
	output, _, err := run(t, []iampolicy.Item{{
		Account: "444455556666", Kind: iampolicy.NodePolicy, Name: "nodes", AttachTo: "arn:aws:iam::444455556666:role/node",
		Policy: iampolicy.NewDocument(iampolicy.Token()),
	}}, "get-caller-identity", "444455556666")
	if want := "role node does not exist; create it, or run ecr-cross-account iam again with another --node-role\n"; err == nil || output != want {
		t.Errorf("got error %v and %s\nwant an error and %s", err, output, want)
	}
}
