package iamfile

import (
	"fmt"
	"io"
	"strconv"
	"strings"

	"ecr-cross-account-credential-provider/pkg/iampolicy"
)

// WriteTerraform writes a module for the AWS provider of Terraform.
func WriteTerraform(w io.Writer, items []iampolicy.Item) error {
	f, err := newFile(items)
	if err != nil {
		return err
	}
	m := &module{}
	m.line("# For account %s, by ecr-cross-account iam.", f.account)
	for n, provider := range f.providers {
		m.provider(n+1, *provider.Provider)
	}
	for _, r := range f.roles {
		m.variable(r.id+"_role_name", "string", "The name of the role. The nodes' configuration has it, too.", r.name)
		m.role(r)
		m.policy(r, "aws_iam_role."+r.id+".name")
	}
	for _, r := range f.nodes {
		m.variable(r.id+"_role_name", "string", "The name of the nodes' existing role.", r.name)
		m.policy(r, "var."+r.id+"_role_name")
	}
	for n, i := range f.others {
		m.other(n+1, i)
	}
	if m.err != nil {
		return m.err
	}
	_, err = io.WriteString(w, m.text.String())
	return err
}

// module is the text of a Terraform module.
type module struct {
	text strings.Builder
	err  error
}

func (m *module) line(format string, args ...any) { fmt.Fprintf(&m.text, format+"\n", args...) }

// variable declares a variable. Without a default, the caller must set it.
func (m *module) variable(name, kind, description, value string) {
	m.line("\nvariable %q {\n  type        = %s\n  description = %q", name, kind, description)
	if value != "" {
		m.line("  default     = %q", value)
	}
	m.line("}")
}

func (m *module) provider(n int, p iampolicy.Provider) {
	m.line("\nresource \"aws_iam_openid_connect_provider\" \"cluster_%d\" {", n)
	m.line("  url            = %q", p.URL)
	m.line("  client_id_list = [%s]", quoted(p.ClientIDList))
	m.tags()
	m.line("}")
}

func (m *module) role(r role) {
	if r.trust == nil {
		return
	}
	m.line("\nresource \"aws_iam_role\" %q {", r.id)
	m.line("  name                 = var.%s_role_name", r.id)
	m.line("  path                 = %q", r.path)
	m.line("  max_session_duration = %d", r.seconds)
	m.document("assume_role_policy", r.trust)
	m.tags()
	m.line("}")
}

// policy adds a policy to the role that an expression names.
func (m *module) policy(r role, name string) {
	if r.permissions == nil {
		return
	}
	m.line("\nresource \"aws_iam_role_policy\" %q {", r.id)
	m.line("  name = %q", r.policyName)
	m.line("  role = %s", name)
	m.document("policy", r.permissions)
	m.line("}")
}

// other adds the policy of an endpoint, or of repositories.
func (m *module) other(n int, i iampolicy.Item) {
	if i.Kind == iampolicy.EndpointPolicy {
		id := identifier(i.AttachTo)
		m.variable(id+"_id", "string", "The ID of the VPC's endpoint of "+i.AttachTo+".", "")
		m.line("\nresource \"aws_vpc_endpoint_policy\" %q {\n  vpc_endpoint_id = var.%s_id", id, id)
		m.document("policy", i.Policy)
		m.line("}")
		return
	}
	id := "repositories_" + strconv.Itoa(n)
	m.variable(id, "set(string)", "The names of the repositories that match "+i.AttachTo+", in the provider's region.", "")
	m.line("\nresource \"aws_ecr_repository_policy\" %q {\n  for_each   = var.%s\n  repository = each.value", id, id)
	m.document("policy", i.Policy)
	m.line("}")
}

// escaped escapes Terraform's template sequences, which an audience may contain.
var escaped = strings.NewReplacer("${", "$${", "%{", "%%{")

// document writes a document as JSON.
func (m *module) document(name string, document any) {
	text, err := pretty(document)
	if err != nil {
		m.err = err
	}
	m.line("  %s = <<-EOT\n    %s\n  EOT", name, strings.ReplaceAll(escaped.Replace(text), "\n", "\n    "))
}

func (m *module) tags() { m.line("  tags = {\n    %s = %q\n  }", TagKey, TagValue) }

func quoted(values []string) string {
	all := make([]string, len(values))
	for i, v := range values {
		all[i] = strconv.Quote(escaped.Replace(v))
	}
	return strings.Join(all, ", ")
}
