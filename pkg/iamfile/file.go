// Package iamfile writes the documents of package iampolicy as files that create
// them in an account: a script for the AWS CLI, a Terraform module, or a
// CloudFormation template.
package iamfile

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"ecr-cross-account-credential-provider/pkg/iampolicy"
	"ecr-cross-account-credential-provider/pkg/rule"
)

// TagKey and TagValue are the tag of the roles and providers that the files make.
const (
	TagKey   = "managed-by"
	TagValue = "ecr-cross-account"
)

// file is the content of one file: everything in one account.
type file struct {
	account   string
	providers []iampolicy.Item
	// roles are created. nodes are roles that already exist.
	roles, nodes []role
	// others are documents of kinds that only some formats support.
	others []iampolicy.Item
}

// role is a role with its documents. A node's role has no trust policy here.
type role struct {
	arn         string
	name, path  string
	id          string // made from the name, unique in the file
	trust       *iampolicy.Document
	permissions *iampolicy.Document
	policyName  string
	seconds     int // MaxSessionDuration
}

// newFile groups the documents by kind and role. A file is for one account.
func newFile(items []iampolicy.Item) (file, error) {
	var accounts []string
	for _, i := range items {
		if !slices.Contains(accounts, i.Account) {
			accounts = append(accounts, i.Account)
		}
	}
	if len(accounts) > 1 {
		return file{}, fmt.Errorf("this format makes one file for each account, and the documents are for %s; choose one with --account", strings.Join(accounts, ", "))
	}
	f := file{account: accounts[0]}
	for _, i := range items {
		document := i.Policy
		switch i.Kind {
		case iampolicy.OIDCProvider:
			f.providers = append(f.providers, i)
		case iampolicy.NodePolicy:
			r := f.role(&f.nodes, i)
			r.permissions, r.policyName = &document, i.Name
		case iampolicy.TrustPolicy:
			r := f.role(&f.roles, i)
			r.trust, r.seconds = &document, int(cmp.Or(i.MaxSession, rule.DefaultDuration)/time.Second)
		case iampolicy.PermissionsPolicy:
			r := f.role(&f.roles, i)
			r.permissions, r.policyName = &document, i.Name
		default:
			f.others = append(f.others, i)
		}
	}
	f.roles = afterTrusted(f.roles)
	return f, nil
}

// afterTrusted returns the roles in an order in which they can be created: each role comes
// after the roles that it trusts.
func afterTrusted(roles []role) (ordered []role) {
	seen := map[string]bool{}
	var add func(role)
	add = func(r role) {
		if seen[r.arn] {
			return
		}
		seen[r.arn] = true
		for _, other := range roles {
			if r.trusts(other) {
				add(other)
			}
		}
		ordered = append(ordered, r)
	}
	for _, r := range roles {
		add(r)
	}
	return ordered
}

// trusts reports whether the role's trust policy names another role.
func (r role) trusts(other role) bool {
	return r.trust != nil && slices.ContainsFunc(r.trust.Statement, func(s iampolicy.Statement) bool {
		return slices.Contains(s.Principal["AWS"], other.arn)
	})
}

// role returns the item's role in a list. It adds the role if it is new.
func (f *file) role(list *[]role, i iampolicy.Item) *role {
	at := slices.IndexFunc(*list, func(r role) bool { return r.name == i.Role() })
	if at < 0 {
		at = len(*list)
		*list = append(*list, role{arn: i.AttachTo, name: i.Role(), path: i.Path(), id: f.identifier(i.Role())})
	}
	return &(*list)[at]
}

// identifier turns a name into an identifier of letters, digits and underscores. No other
// role of the file has the same identifier.
func (f *file) identifier(name string) string {
	id := identifier(name)
	taken := func(r role) bool {
		return strings.EqualFold(strings.ReplaceAll(r.id, "_", ""), strings.ReplaceAll(id, "_", ""))
	}
	for n := 2; slices.ContainsFunc(slices.Concat(f.roles, f.nodes), taken); n++ {
		id = fmt.Sprintf("%s_%d", identifier(name), n)
	}
	return id
}

// identifier returns lower-case letters, digits and underscores. The first one is not a
// digit, because Terraform does not allow that.
func identifier(name string) string {
	id := strings.ToLower(strings.Map(func(c rune) rune {
		if c < 0x80 && strings.ContainsRune("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789", c) {
			return c
		}
		return '_'
	}, name))
	if '0' <= id[0] && id[0] <= '9' {
		return "r_" + id
	}
	return id
}

// only returns an error if there are documents of a kind that the format does not
// support.
func (f file) only(format string) error {
	if len(f.others) == 0 {
		return nil
	}
	return fmt.Errorf("format %s has no %s; use json or terraform", format, f.others[0].Kind)
}

// pretty returns an indented document, without a final newline.
func pretty(document any) (string, error) {
	var s bytes.Buffer
	encoder := json.NewEncoder(&s)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	err := encoder.Encode(document)
	return strings.TrimSuffix(s.String(), "\n"), err
}
