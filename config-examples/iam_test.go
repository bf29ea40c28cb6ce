package examples_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"ecr-cross-account-credential-provider/pkg/command"
	"ecr-cross-account-credential-provider/pkg/iampolicy"
	"ecr-cross-account-credential-provider/pkg/operator"
)

var update = flag.Bool("update", false, "write the files of iam")

const (
	nodeRole     = "arn:aws:iam::" + nodeAccount + ":role/node"
	imageAccount = "444455556666"
)

// policy is a file in iam: one document of the command's output, or all of it.
type policy struct {
	attachedIn string
	// args are the arguments of the command iam, without --node-role.
	args string
	// kind selects one document. Empty means the whole output.
	kind iampolicy.Kind
}

const withServiceAccount = "--config service-account.yaml --account " + imageAccount + " --issuer https://" + issuer + " --service-account team-a/app=" + podRole

// policies are the files in iam.
var policies = map[string]policy{
	"iam/minimal.json":                             {"both", "--config minimal.yaml", ""},
	"iam/minimal.sh":                               {imageAccount, "--config minimal.yaml --account 444455556666 --format cli", ""},
	"iam/minimal.tf":                               {imageAccount, "--config minimal.yaml --account 444455556666 --format terraform", ""},
	"iam/minimal.cloudformation.json":              {imageAccount, "--config minimal.yaml --account 444455556666 --format cloudformation", ""},
	"iam/node-policy.json":                         {nodeAccount, "--config minimal.yaml --side nodes", iampolicy.NodePolicy},
	"iam/node-policy-wildcard.json":                {nodeAccount, "--config many-accounts.yaml --side nodes --organization o-exampleorgid", iampolicy.NodePolicy},
	"iam/role-trust-policy.json":                   {imageAccount, "--config minimal.yaml --side images", iampolicy.TrustPolicy},
	"iam/role-permissions-pull.json":               {imageAccount, "--config minimal.yaml --side images", iampolicy.PermissionsPolicy},
	"iam/role-permissions-pull-through-cache.json": {imageAccount, "--config mirrors.yaml --side images", iampolicy.PermissionsPolicy},
	podTrust:                                 {imageAccount, withServiceAccount, iampolicy.TrustPolicy},
	"iam/repository-policy.json":             {imageAccount, "--config without-role.yaml --side images", iampolicy.RepositoryPolicy},
	"iam/registry-policy.json":               {imageAccount, "", ""},
	"iam/endpoint-policies.json":             {nodeAccount, "--config privatelink.yaml --side endpoints --region eu-west-1", ""},
	"iam/service-account-444455556666.json":  {imageAccount, withServiceAccount, ""},
	"iam/many-accounts-444455556666.json":    {imageAccount, "--config many-accounts.yaml --account 444455556666", ""},
	"iam/chained-role-777788889999-hub.json": {"777788889999", "--config chained-role.yaml --account 777788889999", ""},
}

// TestPolicies: the files in iam are the command's output. With -update it writes
// them.
func TestPolicies(t *testing.T) {
	t.Parallel()
	for file, p := range policies {
		t.Run(file, func(t *testing.T) {
			t.Parallel()
			want := p.printed(t)
			if *update {
				if err := os.WriteFile(file, []byte(want), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			if got := read(t, file); got != want {
				t.Errorf("got %s\nwant %s\nto write it, run: go test ./config-examples -run TestPolicies -update", got, want)
			}
		})
	}
}

// printed returns the required content of the file.
func (p policy) printed(t *testing.T) string {
	t.Helper()
	if p.args == "" { // a policy for a whole registry, which the command does not print
		statement := iampolicy.PullBy(nodeRole, "arn:aws:ecr:eu-west-1:444455556666:repository/*")
		document, err := json.MarshalIndent(iampolicy.NewDocument(statement), "", "  ")
		if err != nil {
			t.Fatal(err)
		}
		return string(document) + "\n"
	}
	output := iam(t, p.args)
	if p.kind == "" {
		return output
	}
	var items []struct {
		Kind     iampolicy.Kind
		Document json.RawMessage
	}
	if err := json.Unmarshal([]byte(output), &items); err != nil {
		t.Fatal(err)
	}
	for _, i := range items {
		if i.Kind == p.kind {
			var indented bytes.Buffer
			if err := json.Indent(&indented, i.Document, "", "  "); err != nil {
				t.Fatal(err)
			}
			return indented.String() + "\n"
		}
	}
	t.Fatalf("got no %s in %s", p.kind, output)
	return ""
}

// iam runs the command for copies of the configurations. The plugin refuses files
// that a group may write, and a checkout may have such files.
func iam(t *testing.T, args string) string {
	t.Helper()
	words := append([]string{"iam", "--node-role", nodeRole}, strings.Fields(args)...)
	for i, word := range words {
		if _, ok := configurations[word]; ok {
			words[i] = filepath.Join(t.TempDir(), word)
			if err := os.WriteFile(words[i], []byte(read(t, word)), 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
	var stdout, stderr bytes.Buffer
	status := operator.Main(t.Context(), command.Process{
		Args: words, Stdout: &stdout, Stderr: &stderr,
		Getenv: func(string) string { return "" }, Environ: func() []string { return nil },
	})
	if status != 0 || stderr.Len() > 0 {
		t.Fatalf("iam %s: got status %d, stderr %s; want 0 and nothing", args, status, &stderr)
	}
	return stdout.String()
}

// TestScriptOfIAM: sh can parse the script. If shellcheck is installed, it finds
// no problem in the script.
func TestScriptOfIAM(t *testing.T) {
	t.Parallel()
	if out, err := exec.CommandContext(t.Context(), "sh", "-n", "iam/minimal.sh").CombinedOutput(); err != nil {
		t.Errorf("got error %v, want none:\n%s", err, out)
	}
	if _, err := exec.LookPath("shellcheck"); err != nil {
		return
	}
	if out, err := exec.CommandContext(t.Context(), "shellcheck", "iam/minimal.sh").CombinedOutput(); err != nil {
		t.Errorf("got error %v, want none:\n%s", err, out)
	}
}

func readPolicy(t *testing.T, file string) (d iampolicy.Document) {
	t.Helper()
	if err := json.Unmarshal([]byte(read(t, file)), &d); err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	return d
}
