//go:build awscli

package fakeaws

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestCLI: the system's AWS CLI understands the answers, and the policies that it sets
// take effect. An administrator sets up a role, an OIDC provider and ECR's policies.
func TestCLI(t *testing.T) {
	t.Parallel()
	w := NewWorld(Node{Role: nodeRole}, Role{ARN: nodeRole, Policies: map[string]string{
		"all": policyOf(`{"Effect":"Allow","Action":["sts:AssumeRole","ecr:BatchGetImage"],"Resource":"*"}`),
	}})
	app := Repository{FirstAccount, "eu-west-1", "team-a/app"}
	w.Push(app, "v1")
	s := start(t, w, Options{TLS: true})
	const provider = "arn:aws:iam::" + FirstAccount + ":oidc-provider/oidc.example.com/id/1"
	trust := file(t, policyOf(`{"Effect": "Allow", "Principal": {"AWS": "`+nodeRole+`"}, "Action": "sts:AssumeRole"}`))
	pull := file(t, policyOf(`{"Effect": "Allow", "Action": "ecr:*", "Resource": "*"}`))
	repository := file(t, policyOf(`{"Effect":"Allow","Principal":{"AWS":"`+nodeRole+`"},"Action":"ecr:BatchGetImage"}`))
	registry := file(t, policyOf(`{"Effect":"Allow","Principal":{"AWS":"`+nodeRole+`"},"Action":"ecr:BatchGetImage","Resource":"*"}`))
	for _, step := range []struct{ command, want string }{
		{"sts get-caller-identity --query Account", FirstAccount},
		{"iam get-role --role-name ecr-pull", "An error occurred (NoSuchEntity) when calling the GetRole operation: The role with name ecr-pull cannot be found."},
		{"iam create-role --role-name ecr-pull --path /images/ --max-session-duration 7200 --tags Key=by,Value=me --query Role.Arn --assume-role-policy-document " + trust, "arn:aws:iam::" + FirstAccount + ":role/images/ecr-pull"},
		{"iam get-role --role-name ecr-pull --query [Role.Path,Role.MaxSessionDuration,Role.AssumeRolePolicyDocument.Statement[0].Principal.AWS]", "/images/\t7200\t" + nodeRole},
		{"iam put-role-policy --role-name ecr-pull --policy-name pull --policy-document " + pull, ""},
		{"iam get-role-policy --role-name ecr-pull --policy-name pull --query PolicyDocument.Statement[0].Action", "ecr:*"},
		{"iam list-role-policies --role-name ecr-pull --query PolicyNames", "pull"},
		{"iam list-role-tags --role-name ecr-pull --query Tags[].[Key,Value]", "by\tme"},
		{"iam create-open-id-connect-provider --url https://oidc.example.com/id/1 --client-id-list one --thumbprint-list " + strings.Repeat("0", 40), provider},
		{"iam add-client-id-to-open-id-connect-provider --client-id two --open-id-connect-provider-arn " + provider, ""},
		{"iam get-open-id-connect-provider --query ClientIDList --open-id-connect-provider-arn " + provider, "one\ttwo"},
		{"iam list-open-id-connect-providers --query OpenIDConnectProviderList[].Arn", provider},
		{"ecr set-repository-policy --repository-name team-a/app --query repositoryName --policy-text " + repository, "team-a/app"},
		{"ecr get-repository-policy --repository-name other", "An error occurred (RepositoryNotFoundException) when calling the GetRepositoryPolicy operation: The repository with name 'other' does not exist in the registry with id '" + FirstAccount + "'"},
		{"ecr put-registry-policy --query registryId --policy-text " + registry, FirstAccount},
		{"ecr get-registry-policy --query registryId", FirstAccount},
	} {
		if got := runCLI(t, s, w.Administrator(FirstAccount), step.command); got != step.want {
			t.Errorf("aws %s: got %q, want %q", step.command, got, step.want)
		}
	}
	as := session(w, nodeRole, time.Hour, false)
	if got := assume(t, s, as, "arn:aws:iam::"+FirstAccount+":role/images/ecr-pull", "3600", ""); got.status != 200 {
		t.Errorf("assuming the role: got %+v, want 200", got)
	}
	if err := w.MayPull(Grant{Principal: as.Principal, Role: nodeRole, Region: "eu-west-1"}, app); err != nil {
		t.Error(err)
	}
}

// file returns the URL of a file.
func file(t *testing.T, text string) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "policy.json")
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return "file://" + name
}

// runCLI runs the AWS CLI, which uses AWS's own host names. It returns the output.
func runCLI(t *testing.T, s *Server, as Credentials, command string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, "/usr/bin/aws", append(strings.Fields(command), "--output", "text")...)
	cmd.Env = append(s.ProxyEnv(), "HOME="+t.TempDir(), "AWS_REGION=eu-west-1",
		"AWS_ACCESS_KEY_ID="+as.AccessKeyID, "AWS_SECRET_ACCESS_KEY="+as.SecretAccessKey, "AWS_SESSION_TOKEN="+as.SessionToken)
	output, err := cmd.CombinedOutput()
	text := strings.TrimSpace(string(output))
	if err != nil && !strings.HasPrefix(text, "An error occurred") {
		t.Fatalf("aws %s: %v\n%s", command, err, text)
	}
	return text
}
