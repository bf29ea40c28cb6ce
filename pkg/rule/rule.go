// Package rule decides which entry of the configuration governs an image, and
// what that entry makes of the image's registry: the roles to assume.
package rule

import (
	"ecr-cross-account-credential-provider/pkg/registry"
)

// Entry is one entry of the configuration: the images it is for, and who requests
// the token of their registry. Package config has checked its fields.
type Entry struct {
	// Name is the path of the entry, such as registries[1].
	Name string
	// Line is the entry's line in the file; 0 for --role and defaults.
	Line int
	// Accounts are those whose registries the entry is for.
	Accounts Accounts
	// Regions narrow the entry; none means all.
	Regions []registry.RegionPattern
	// Repositories narrow the entry to names with one of these prefixes; none means all.
	Repositories []string
	// ServiceAccount is the source that the roles start from; nil is the node.
	ServiceAccount *ServiceAccount
	// Roles are assumed in order; the last one requests the token. None means the
	// source's own identity.
	Roles []RoleTemplate
	// NodeWhenRefused says to use the node's own identity where STS denies a role.
	NodeWhenRefused bool
}

// Accounts are the accounts of an entry: some by number, or all that no entry
// names.
type Accounts struct {
	Named []registry.Account
	// Own stands for the account of the node's identity.
	Own bool
	// All is "*": every account that no entry names, but for Except and, with
	// ExceptOwn, the account of the node's identity.
	All       bool
	Except    []registry.Account
	ExceptOwn bool
}

// Decision is what governs an image.
type Decision struct {
	// Entry is nil where no entry matches.
	Entry *Entry
	// Why says in words why this entry governs.
	Why string
	// PerRepository is true where another entry can govern another repository of
	// the same registry. A response is then good for one repository only.
	PerRepository bool
}
