package terraform_test

import (
	"encoding/base64"
	"os"
	"path/filepath"
	"testing"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"
)

const platforms = "../../config-examples/platforms"

// TestLaunchTemplate: the module can be evaluated, and its user data is the example
// beside it.
func TestLaunchTemplate(t *testing.T) {
	t.Parallel()
	got := evaluate(t, "launch-template.tf")["aws_launch_template node user_data"]
	want, err := os.ReadFile(filepath.Join(platforms, "eks-user-data.mime"))
	if err != nil {
		t.Fatal(err)
	}
	if got.AsString() != base64.StdEncoding.EncodeToString(want) {
		t.Errorf("got the user data %s, want eks-user-data.mime in base64", got.AsString())
	}
}

// TestPacker: the template can be evaluated, and it runs the script beside it.
func TestPacker(t *testing.T) {
	t.Parallel()
	values := evaluate(t, "packer.pkr.hcl")
	script := values["shell script"].AsString()
	if _, err := os.Stat(script); err != nil || filepath.Base(script) != "install.sh" {
		t.Errorf("got the script %s, %v, want install.sh", script, err)
	}
	if command := values["shell execute_command"].AsString(); command != "sudo bash {{.Path}}" {
		t.Errorf("got the command %s, want sudo bash", command)
	}
}

// evaluate returns the attributes of all blocks of a file. The keys are the block's
// labels and the attribute's name. An inner block also has the labels of its outer
// blocks.
func evaluate(t *testing.T, name string) map[string]cty.Value {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(platforms, name))
	if err != nil {
		t.Fatal(err)
	}
	file, problems := hclsyntax.ParseConfig(text, name, hcl.InitialPos)
	if problems.HasErrors() {
		t.Fatal(problems)
	}
	body := file.Body.(*hclsyntax.Body)
	dir := cty.ObjectVal(map[string]cty.Value{"root": cty.StringVal(platforms), "module": cty.StringVal(platforms)})
	variables, resources := map[string]cty.Value{}, map[string]cty.Value{}
	for _, b := range body.Blocks {
		switch b.Type {
		case "variable":
			variables[b.Labels[0]] = cty.StringVal("x")
		case "resource":
			resources[b.Labels[0]] = cty.ObjectVal(map[string]cty.Value{b.Labels[1]: cty.ObjectVal(map[string]cty.Value{
				"id": cty.StringVal("x"), "latest_version": cty.NumberIntVal(1),
			})})
		}
	}
	resources["var"], resources["path"] = cty.ObjectVal(variables), dir
	context := &hcl.EvalContext{Variables: resources, Functions: map[string]function.Function{"filebase64": fileBase64}}
	values := map[string]cty.Value{}
	collect(t, body, "", context, values)
	return values
}

func collect(t *testing.T, body *hclsyntax.Body, labels string, context *hcl.EvalContext, values map[string]cty.Value) {
	t.Helper()
	for _, b := range body.Blocks {
		inner := labels
		for _, label := range b.Labels {
			inner += label + " "
		}
		if b.Type != "variable" { // a type is not an expression
			collect(t, b.Body, inner, context, values)
		}
	}
	for name, attribute := range body.Attributes {
		value, problems := attribute.Expr.Value(context)
		if problems.HasErrors() {
			t.Error(problems)
			continue
		}
		values[labels+name] = value
	}
}

// fileBase64 is the function filebase64 of Terraform.
var fileBase64 = function.New(&function.Spec{
	Params: []function.Parameter{{Name: "path", Type: cty.String}},
	Type:   function.StaticReturnType(cty.String),
	Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
		content, err := os.ReadFile(args[0].AsString())
		return cty.StringVal(base64.StdEncoding.EncodeToString(content)), err
	},
})
