package rule

import (
	"fmt"
	"slices"

	"ecr-cross-account-credential-provider/pkg/registry"
)

// Conflict is two entries of equal rank that can both match some image.
type Conflict struct {
	First, Second int // places in the list of entries
	What          string
}

// NewSet makes a set of entries, or says which of them tie.
func NewSet(entries []Entry) (Set, []Conflict) {
	var conflicts []Conflict
	for j := range entries {
		for i := range j {
			if what, tie := entries[i].ties(&entries[j]); tie {
				conflicts = append(conflicts, Conflict{i, j, what})
			}
		}
	}
	if len(conflicts) > 0 {
		return Set{}, conflicts
	}
	return Set{entries}, nil
}

// ties tells whether the two entries can both match an image at equal rank,
// and names such images.
func (e *Entry) ties(other *Entry) (string, bool) {
	account, ok := sharedAccount(e.Accounts, other.Accounts)
	if !ok {
		return "", false
	}
	prefix, ok := sharedPrefix(e.Repositories, other.Repositories)
	if !ok {
		return "", false
	}
	region, ok := sharedRegion(e.Regions, other.Regions)
	if !ok {
		return "", false
	}
	return fmt.Sprintf("account %s, %s, %s", account, region, prefix), true
}

func sharedAccount(a, b Accounts) (string, bool) {
	switch {
	case a.All && b.All:
		return `"*"`, true
	case a.Own && b.Own:
		return "own", true
	}
	for _, account := range a.Named {
		if slices.Contains(b.Named, account) {
			return account.String(), true
		}
	}
	return "", false
}

// sharedPrefix: of two prefixes that one name can start with, neither is
// longer only if they are the same.
func sharedPrefix(a, b []string) (string, bool) {
	if len(a) == 0 && len(b) == 0 {
		return "any repository", true
	}
	for _, prefix := range a {
		if slices.Contains(b, prefix) {
			return fmt.Sprintf("repositories %q", prefix), true
		}
	}
	return "", false
}

func sharedRegion(a, b []registry.RegionPattern) (string, bool) {
	if len(a) == 0 && len(b) == 0 {
		return "any region", true
	}
	for _, p := range a {
		for _, q := range b {
			if p.Exact() == q.Exact() && p.Overlaps(q) {
				return "region " + p.String(), true
			}
		}
	}
	return "", false
}
