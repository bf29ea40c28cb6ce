// Package terraform_test parses the Terraform modules that iam prints, with Terraform's
// own parser. It compares their documents with the JSON that iam prints. It also parses
// the examples for Terraform and Packer. Terraform's parser is the reason for a separate
// Go module.
package terraform_test

import (
	"bytes"
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	"ecr-cross-account-credential-provider/pkg/command"
	"ecr-cross-account-credential-provider/pkg/operator"
)

const serviceAccount = " --issuer https://oidc.eks.eu-west-1.amazonaws.com/id/EXAMPLE --service-account team-a/app=arn:aws:iam::444455556666:role/pull-team-a"

// TestModules: Terraform's parser can read every module. Every reference has its
// object. The policies are the same as in the JSON.
func TestModules(t *testing.T) {
	t.Parallel()
	for _, args := range []string{
		"minimal.yaml --account 444455556666", "minimal.yaml --account 111122223333", "minimal.yaml --side endpoints --region eu-west-1",
		"chained-role.yaml --account 777788889999", "without-role.yaml --account 444455556666", "mirrors.yaml --account 444455556666",
		"service-account.yaml --account 444455556666" + serviceAccount, "service-account.yaml --account 777788889999" + serviceAccount,
		"service-account.yaml --account 444455556666 --audience ${team}%{x}" + serviceAccount,
	} {
		t.Run(args, func(t *testing.T) {
			t.Parallel()
			var items []struct {
				Kind     string
				Document any
			}
			if err := json.Unmarshal([]byte(iam(t, args)), &items); err != nil {
				t.Fatal(err)
			}
			var want []any
			for _, i := range items {
				if i.Kind != "oidc-provider" {
					want = append(want, i.Document)
				}
			}
			got := parse(t, iam(t, args+" --format terraform"))
			if diff := cmp.Diff(sorted(t, want), sorted(t, got)); diff != "" {
				t.Errorf("policies: -want +got\n%s", diff)
			}
		})
	}
}

// parse returns the policies of a module.
func parse(t *testing.T, text string) (policies []any) {
	t.Helper()
	file, problems := hclsyntax.ParseConfig([]byte(text), "main.tf", hcl.InitialPos)
	if problems.HasErrors() {
		t.Fatalf("%v\n%s", problems, text)
	}
	variables, resources := map[string]cty.Value{}, map[string]map[string]cty.Value{}
	blocks := file.Body.(*hclsyntax.Body).Blocks
	for _, b := range blocks {
		switch {
		case b.Type == "variable" && len(b.Labels) == 1:
			variables[b.Labels[0]] = cty.StringVal("x")
		case b.Type == "resource" && len(b.Labels) == 2:
			if resources[b.Labels[0]] == nil {
				resources[b.Labels[0]] = map[string]cty.Value{}
			}
			resources[b.Labels[0]][b.Labels[1]] = cty.ObjectVal(map[string]cty.Value{"name": cty.StringVal("x")})
		default:
			t.Errorf("got block %s %q, want a variable or a resource", b.Type, b.Labels)
		}
	}
	context := &hcl.EvalContext{Variables: map[string]cty.Value{
		"var": cty.ObjectVal(variables), "each": cty.ObjectVal(map[string]cty.Value{"value": cty.StringVal("x")}),
	}}
	for kind, named := range resources {
		context.Variables[kind] = cty.ObjectVal(named)
	}
	for _, b := range blocks {
		for _, name := range slices.Sorted(maps.Keys(b.Body.Attributes)) {
			if b.Type == "variable" && name == "type" {
				continue // a type is not an expression
			}
			value, problems := b.Body.Attributes[name].Expr.Value(context)
			if problems.HasErrors() {
				t.Errorf("%s %q, %s: %v", b.Type, b.Labels, name, problems)
			}
			if name == "policy" || name == "assume_role_policy" {
				var document any
				if err := json.Unmarshal([]byte(value.AsString()), &document); err != nil {
					t.Errorf("%s %q, %s: %v", b.Type, b.Labels, name, err)
				}
				policies = append(policies, document)
			}
		}
	}
	return policies
}

func sorted(t *testing.T, documents []any) (texts []string) {
	t.Helper()
	for _, d := range documents {
		text, err := json.Marshal(d)
		if err != nil {
			t.Fatal(err)
		}
		texts = append(texts, string(text))
	}
	slices.Sort(texts)
	return texts
}

// iam runs the command for a copy of an example. A checkout may have files that a group
// may write, which the plugin refuses.
func iam(t *testing.T, args string) string {
	t.Helper()
	words := strings.Fields(args)
	content, err := os.ReadFile(filepath.Join("../../config-examples", words[0]))
	if err != nil {
		t.Fatal(err)
	}
	words[0] = filepath.Join(t.TempDir(), words[0])
	if err := os.WriteFile(words[0], content, 0o600); err != nil {
		t.Fatal(err)
	}
	var stdout, stderr bytes.Buffer
	status := operator.Main(t.Context(), command.Process{
		Args:   append([]string{"iam", "--node-role", "arn:aws:iam::111122223333:role/node", "--config"}, words...),
		Stdout: &stdout, Stderr: &stderr, Getenv: func(string) string { return "" }, Environ: func() []string { return nil },
	})
	if status != 0 || stderr.Len() > 0 {
		t.Fatalf("iam %s: status %d, %s", args, status, &stderr)
	}
	return stdout.String()
}
