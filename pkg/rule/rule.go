// Package rule decides which entry of the configuration governs an image, and which
// roles that entry assumes for the image's registry.
package rule

import (
	"slices"

	"ecr-cross-account-credential-provider/pkg/registry"
)

// Entry is one entry of the configuration. It says which images it governs, and which
// identity requests the token of their registry. Package config has checked its fields.
type Entry struct {
	// Name is the path of the entry, such as registries[1].
	Name string
	// Line is the entry's line in the file, or 0 for --role and defaults.
	Line int
	// Accounts are the accounts whose registries the entry is for.
	Accounts Accounts
	// Regions limit the entry to these regions. None means all.
	Regions []registry.RegionPattern
	// Repositories limit the entry to names with one of these prefixes. None means
	// all.
	Repositories []string
	// ServiceAccount is the source of the chain of roles. Nil means the node.
	ServiceAccount *ServiceAccount
	// Roles are assumed in order. The last one requests the token. Without roles,
	// the source's own identity does.
	Roles []RoleTemplate
	// NodeWhenRefused says to use the node's own identity if STS denies a role.
	NodeWhenRefused bool
}

// Fits reports whether the entry's roles can belong to a partition. An identity can only
// assume roles of its own partition.
func (e Entry) Fits(p registry.Partition) bool {
	for _, role := range e.Roles {
		if other, fixed := role.Partition(); fixed && other != p {
			return false
		}
	}
	if e.ServiceAccount == nil || len(e.ServiceAccount.AllowedRoles) == 0 {
		return true
	}
	return slices.ContainsFunc(e.ServiceAccount.AllowedRoles, func(pattern RolePattern) bool {
		other, fixed := pattern.Partition()
		return !fixed || other == p
	})
}

// Accounts are the accounts of an entry: either named ones, or all that no entry
// names.
type Accounts struct {
	Named []registry.Account
	// Own stands for the account of the node's identity.
	Own bool
	// All is "*": every account that no entry names, except those in Except and,
	// with ExceptOwn, the account of the node's identity.
	All       bool
	Except    []registry.Account
	ExceptOwn bool
}

// Decision says which entry governs an image.
type Decision struct {
	// Entry is nil if no entry matches.
	Entry *Entry
	// Why says in words why this entry governs, or why none does.
	Why string
	// PerRepository is true if the answer can differ for another repository of the
	// same registry. Then a response is valid for one repository only.
	PerRepository bool
}
