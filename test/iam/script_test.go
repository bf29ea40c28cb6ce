//go:build linux && awscli

package iam_test

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"ecr-cross-account-credential-provider/pkg/iamfile"
	"ecr-cross-account-credential-provider/test/fakeaws"
)

// These tests run the scripts of iam with the AWS CLI of the system.

// TestScripts: administrators run the scripts of all accounts. After that, the plugin
// can pull. A second run changes nothing.
func TestScripts(t *testing.T) {
	t.Parallel()
	for configuration, run := range map[string]string{
		"minimal.yaml": "", "chained-role.yaml": "", "mirrors.yaml": "",
		"service-account.yaml": serviceAccount("")[0],
	} {
		t.Run(configuration, func(t *testing.T) {
			t.Parallel()
			e := examples[slices.IndexFunc(examples, func(e example) bool { return e.configuration == configuration })]
			e.runs = []string{run}
			n := newNode(t, e, stranger{})
			n.world.SetRole(fakeaws.Role{ARN: nodeRole, Policies: map[string]string{}, Tags: map[string]string{iamfile.TagKey: iamfile.TagValue}})
			var accounts []string
			for _, i := range e.documents(t, n.config) {
				if !slices.Contains(accounts, i.Account) {
					accounts = append(accounts, i.Account)
				}
			}
			for _, account := range accounts {
				if out, err := n.script(account, run); err != nil {
					t.Fatalf("account %s: %v\n%s", account, err, out)
				}
			}
			n.pullsAll(t, e, 1)
			n.server.Forget()
			for _, account := range accounts {
				out, err := n.script(account, run)
				if err != nil || !strings.Contains(out, " is up to date\n") {
					t.Errorf("account %s, again: %v\n%s", account, err, out)
				}
			}
			for _, call := range n.server.Calls(fakeaws.IAM) {
				if !strings.HasPrefix(call.Operation, "Get") && !strings.HasPrefix(call.Operation, "List") {
					t.Errorf("a second run calls %s, want only Get and List", call)
				}
			}
		})
	}
}

// TestScriptAndOthersRoles: if a role does not have the tag, the script only prints the
// difference. If the role has the tag, the script changes it.
func TestScriptAndOthersRoles(t *testing.T) {
	t.Parallel()
	e := examples[0]
	const pullRole = "arn:aws:iam::444455556666:role/ecr-pull"
	const trust = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111122223333:role/another"},"Action":"sts:AssumeRole"}]}`
	for account, role := range map[string]fakeaws.Role{
		"444455556666": {ARN: pullRole, TrustPolicy: trust, Policies: map[string]string{}},
		nodeAccount:    {ARN: nodeRole, TrustPolicy: trust, Policies: map[string]string{}},
	} {
		t.Run(account, func(t *testing.T) {
			t.Parallel()
			n := newNode(t, e, stranger{})
			n.world.SetRole(fakeaws.Role{ARN: "arn:aws:iam::111122223333:role/another"}) // the principal must exist
			n.world.SetRole(role)
			out, err := n.script(account, "")
			if err == nil || !strings.Contains(out, " differs, and the role has no tag managed-by=ecr-cross-account:\n--- ") || !strings.Contains(out, "\n+") {
				t.Errorf("without the tag: got %v, want an error and the difference\n%s", err, out)
			}
			for _, call := range n.server.Calls(fakeaws.IAM) {
				if !strings.HasPrefix(call.Operation, "Get") && !strings.HasPrefix(call.Operation, "List") {
					t.Errorf("the script calls %s, want only Get and List", call)
				}
			}
			role.Tags = map[string]string{iamfile.TagKey: iamfile.TagValue}
			n.world.SetRole(role)
			if out, err := n.script(account, ""); err != nil {
				t.Errorf("with the tag: %v\n%s", err, out)
			}
		})
	}
}

// TestScriptOfAnotherAccount: with credentials of another account, the script changes
// nothing.
func TestScriptOfAnotherAccount(t *testing.T) {
	t.Parallel()
	n := newNode(t, examples[0], stranger{})
	out, err := n.scriptAs(nodeAccount, "444455556666", "")
	if err == nil || out != "the credentials are of account 111122223333, and this script is for 444455556666\n" {
		t.Errorf("got %v and %s, want an error that names both accounts", err, out)
	}
	if calls := n.server.Calls(fakeaws.IAM); len(calls) > 0 {
		t.Errorf("got calls %v, want none", calls)
	}
}

// script runs an account's script as its administrator.
func (n *node) script(account, run string) (output string, err error) {
	return n.scriptAs(account, account, run)
}

func (n *node) scriptAs(administrator, account, run string) (output string, err error) {
	n.t.Helper()
	args := append([]string{"iam", "--config", n.config, "--node-role", nodeRole, "--account", account, "--format", "cli"}, strings.Fields(run)...)
	file := filepath.Join(n.dir, account+".sh")
	if err := os.WriteFile(file, []byte(runIAM(n.t, args...)), 0o600); err != nil {
		n.t.Fatal(err)
	}
	c := n.world.Administrator(administrator)
	ctx, cancel := context.WithTimeout(n.t.Context(), 10*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, "sh", file)
	cmd.Env = []string{
		"PATH=/usr/bin:/bin", "HOME=" + n.dir, "TMPDIR=" + n.dir, "AWS_REGION=" + region, "AWS_CA_BUNDLE=" + n.server.CAFile(), "HTTPS_PROXY=" + n.server.URL(fakeaws.Proxy),
		"AWS_ACCESS_KEY_ID=" + c.AccessKeyID, "AWS_SECRET_ACCESS_KEY=" + c.SecretAccessKey, "AWS_SESSION_TOKEN=" + c.SessionToken,
		"THUMBPRINT=" + strings.Repeat("0", 40), // the fake AWS does not check the thumbprint
	}
	text, err := cmd.CombinedOutput()
	return string(text), err
}
