package iamfile

import (
	"encoding/json"
	"io"
	"slices"
	"strings"
	"testing"

	"ecr-cross-account-credential-provider/pkg/iampolicy"
	"ecr-cross-account-credential-provider/pkg/rule"
)

type format struct {
	name  string
	write func(io.Writer, []iampolicy.Item) error
}

var allFormats = []format{{"cli", WriteScript}, {"terraform", WriteTerraform}, {"cloudformation", WriteCloudFormation}}

// roleItems are a role's two documents.
func roleItems(arn string) []iampolicy.Item {
	role := rule.NewRole(arn, "session")
	account := strings.Split(arn, ":")[4]
	return []iampolicy.Item{
		{Account: account, Kind: iampolicy.TrustPolicy, Name: "x", AttachTo: arn, Policy: iampolicy.NewDocument(iampolicy.TrustRole("arn:aws:iam::111122223333:role/node", role)), MaxSession: 2 * rule.DefaultDuration},
		{Account: account, Kind: iampolicy.PermissionsPolicy, Name: "pull", AttachTo: arn, Policy: iampolicy.NewDocument(iampolicy.Token())},
	}
}

// TestOneAccount: documents of several accounts are an error. Nothing is written.
func TestOneAccount(t *testing.T) {
	t.Parallel()
	items := append(roleItems("arn:aws:iam::444455556666:role/pull"), roleItems("arn:aws:iam::777788889999:role/pull")...)
	for _, f := range allFormats {
		var s strings.Builder
		err := f.write(&s, items)
		if err == nil || !strings.HasSuffix(err.Error(), "the documents are for 444455556666, 777788889999; choose one with --account") || s.Len() > 0 {
			t.Errorf("%s: got %v, want an error before any output:\n%s", f.name, err, &s)
		}
	}
}

// TestKindsThatOnlySomeFormatsHave: the error names the formats that support the
// kind.
func TestKindsThatOnlySomeFormatsHave(t *testing.T) {
	t.Parallel()
	items := []iampolicy.Item{{
		Account: "111122223333", Kind: iampolicy.EndpointPolicy, Name: "sts", AttachTo: "com.amazonaws.eu-west-1.sts",
		Policy: iampolicy.NewDocument(iampolicy.PassToken("arn:aws:iam::444455556666:role/pull")),
	}}
	for _, f := range allFormats {
		var s strings.Builder
		err := f.write(&s, items)
		if want := "format " + f.name + " has no endpoint-policy; use json or terraform"; f.name != "terraform" && (err == nil || err.Error() != want) {
			t.Errorf("%s: got %v, want %s", f.name, err, want)
		}
		if f.name == "terraform" && (err != nil || !strings.Contains(s.String(), `resource "aws_vpc_endpoint_policy" "com_amazonaws_eu_west_1_sts"`)) {
			t.Errorf("terraform: got %v, want the policy of the endpoint in:\n%s", err, &s)
		}
	}
}

// TestRolesOfSimilarNames: two roles whose names differ only in special characters
// get different identifiers.
func TestRolesOfSimilarNames(t *testing.T) {
	t.Parallel()
	items := append(roleItems("arn:aws:iam::444455556666:role/path/ecr-pull"), roleItems("arn:aws:iam::444455556666:role/ecr_pull")...)
	var module, template strings.Builder
	if err := WriteTerraform(&module, items); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`resource "aws_iam_role" "ecr_pull" {`, `resource "aws_iam_role" "ecr_pull_2" {`, `path                 = "/path/"`, "max_session_duration = 7200"} {
		if strings.Count(module.String(), want) < 1 {
			t.Errorf("want %s in:\n%s", want, &module)
		}
	}
	if err := WriteCloudFormation(&template, items); err != nil {
		t.Fatal(err)
	}
	resources := resourcesOf(t, template.String())
	if len(resources) != 2 || resources["EcrPullRole"].Properties["Path"] != "/path/" || resources["EcrPull2Role"].Properties["Path"] != "/" {
		t.Errorf("got %v, want two roles with their paths", resources)
	}
}

// TestIdentifiers: an identifier of Terraform starts with a letter, and one of
// CloudFormation has only letters and digits.
func TestIdentifiers(t *testing.T) {
	t.Parallel()
	items := append(roleItems("arn:aws:iam::444455556666:role/3scale-pull"), iampolicy.Item{
		Account: "444455556666", Kind: iampolicy.EndpointPolicy, Name: "ecr.api", AttachTo: "eu.amazonaws.eusc-de-east-1.ecr.api",
		Policy: iampolicy.NewDocument(iampolicy.PassToken("arn:aws-eusc:iam::444455556666:role/3scale-pull")),
	})
	var module, template strings.Builder
	if err := WriteTerraform(&module, items); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		`variable "r_3scale_pull_role_name" {`, `resource "aws_iam_role" "r_3scale_pull" {`, `= var.r_3scale_pull_role_name`,
		`resource "aws_vpc_endpoint_policy" "eu_amazonaws_eusc_de_east_1_ecr_api" {`,
	} {
		if !strings.Contains(module.String(), want) {
			t.Errorf("want %s in:\n%s", want, &module)
		}
	}
	if err := WriteCloudFormation(&template, items[:2]); err != nil {
		t.Fatal(err)
	}
	if resources := resourcesOf(t, template.String()); resources["R3scalePullRole"].Type != "AWS::IAM::Role" {
		t.Errorf("got %v, want a role R3scalePullRole", resources)
	}
}

// TestRoleThatTrustsAnother: a role is created after the roles that it trusts. Roles that
// trust each other do not wait for each other.
func TestRoleThatTrustsAnother(t *testing.T) {
	t.Parallel()
	const hub, last = "arn:aws:iam::444455556666:role/hub", "arn:aws:iam::444455556666:role/last"
	trusting := func(arn, caller string) []iampolicy.Item {
		items := roleItems(arn)
		items[0].Policy = iampolicy.NewDocument(iampolicy.TrustRole(caller, rule.NewRole(arn, "session")))
		return items
	}
	for name, items := range map[string][]iampolicy.Item{
		"a chain":                  append(roleItems(hub), trusting(last, hub)...),
		"a chain in another order": append(trusting(last, hub), roleItems(hub)...),
		"a ring":                   append(trusting(last, hub), trusting(hub, last)...),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var template, script strings.Builder
			if err := WriteCloudFormation(&template, items); err != nil {
				t.Fatal(err)
			}
			resources := resourcesOf(t, template.String())
			ofHub, ofLast := resources["HubRole"].DependsOn, resources["LastRole"].DependsOn
			if len(ofHub) > 0 || !slices.Equal(ofLast, []string{"HubRole"}) {
				t.Errorf("HubRole depends on %q and LastRole on %q, want none and HubRole", ofHub, ofLast)
			}
			if err := WriteScript(&script, items); err != nil {
				t.Fatal(err)
			}
			if _, after, ok := strings.Cut(script.String(), "\nrole hub / "); !ok || !strings.Contains(after, "\nrole last / ") {
				t.Errorf("want role hub before role last in:\n%s", &script)
			}
		})
	}
}

type templateResource struct {
	Type       string
	DependsOn  []string
	Properties map[string]any
}

// resourcesOf parses a template and checks its references.
func resourcesOf(t *testing.T, text string) map[string]templateResource {
	t.Helper()
	var template struct {
		AWSTemplateFormatVersion, Description string
		Parameters                            map[string]struct{ Type, Description, Default string }
		Resources                             map[string]templateResource
	}
	decoder := json.NewDecoder(strings.NewReader(text))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&template); err != nil {
		t.Fatal(err)
	}
	for name, r := range template.Resources {
		for _, other := range r.DependsOn {
			if _, ok := template.Resources[other]; !ok {
				t.Errorf("%s depends on %s, which does not exist", name, other)
			}
		}
		for _, reference := range referencesIn(r.Properties) {
			if p, ok := template.Parameters[reference]; !ok || p.Type != "String" || p.Default == "" {
				t.Errorf("%s refers to the parameter %s: got %v, want a String with a default", name, reference, p)
			}
		}
	}
	return template.Resources
}

func referencesIn(value any) (found []string) {
	switch v := value.(type) {
	case map[string]any:
		for key, inner := range v {
			if name, ok := inner.(string); ok && key == "Ref" {
				found = append(found, name)
			}
			found = append(found, referencesIn(inner)...)
		}
	case []any:
		for _, inner := range v {
			found = append(found, referencesIn(inner)...)
		}
	}
	return found
}

// TestTemplate: a node's role gets a policy but is not created. A role that trusts
// a provider is created after it.
func TestTemplate(t *testing.T) {
	t.Parallel()
	const node = "arn:aws:iam::444455556666:role/node"
	items := append(roleItems("arn:aws:iam::444455556666:role/pull"),
		iampolicy.Item{Account: "444455556666", Kind: iampolicy.NodePolicy, Name: "nodes", AttachTo: node, Policy: iampolicy.NewDocument(iampolicy.Token())},
		iampolicy.Item{
			Account: "444455556666", Kind: iampolicy.OIDCProvider, AttachTo: "arn:aws:iam::444455556666:oidc-provider/oidc.example.com",
			Provider: &iampolicy.Provider{URL: "https://oidc.example.com", ClientIDList: []string{"sts.amazonaws.com"}},
		})
	var s strings.Builder
	if err := WriteCloudFormation(&s, items); err != nil {
		t.Fatal(err)
	}
	resources := resourcesOf(t, s.String())
	for name, kind := range map[string]string{"PullRole": "AWS::IAM::Role", "NodePolicy": "AWS::IAM::Policy", "Cluster1Provider": "AWS::IAM::OIDCProvider"} {
		if resources[name].Type != kind {
			t.Errorf("%s is of type %q, want %s", name, resources[name].Type, kind)
		}
	}
	if depends := resources["PullRole"].DependsOn; len(depends) != 1 || depends[0] != "Cluster1Provider" {
		t.Errorf("the role depends on %q, want Cluster1Provider", depends)
	}
	if resources["PullRole"].Properties["MaxSessionDuration"] != 7200.0 {
		t.Errorf("the role has the properties %v, want MaxSessionDuration 7200", resources["PullRole"].Properties)
	}
}

func TestWord(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{"a-b/c:1": "a-b/c:1", "": "''", "a b": "'a b'", "it's $x": `'it'\''s $x'`} {
		if got := word(text); got != want {
			t.Errorf("word(%q) = %s, want %s", text, got, want)
		}
	}
}
