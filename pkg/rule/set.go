package rule

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"ecr-cross-account-credential-provider/pkg/registry"
)

// Set holds all entries of a configuration, without conflicts. NewSet returns one.
// The zero value has no entries.
type Set struct{ entries []Entry }

// Entries returns the entries in the order of the configuration.
func (s Set) Entries() []Entry { return slices.Clone(s.entries) }

// For returns the entries for an account's registries, in any region and for any
// repository. own is the account of the node's identity.
func (s Set) For(account, own registry.Account) (entries []*Entry) {
	candidates, _ := s.forAccount(account, own)
	for _, r := range candidates {
		entries = append(entries, r.entry)
	}
	return entries
}

// DependsOnOwn reports whether the node's own account can change which entry governs
// the image. An entry that names that account by `own` also excludes it from "*" in
// every region. An entry for "*" can except `own`.
func (s Set) DependsOnOwn(image registry.Image) bool {
	var named, own, wild, wildButOwn bool
	for i := range s.entries {
		r := rank{entry: &s.entries[i]}
		a, fits := r.entry.Accounts, r.fitRegion(image.Registry().Region())
		if a.Own && fits {
			return true
		}
		named = named || slices.Contains(a.Named, image.Registry().Account())
		own = own || a.Own
		wild = wild || a.All && fits
		wildButOwn = wildButOwn || a.All && a.ExceptOwn && fits
	}
	return !named && (wildButOwn || wild && own)
}

// Match finds the entry that governs the image. An account that an entry names
// never falls to "*". Among the remaining entries, the rank decides. own is the
// account of the node's identity. It matters only if DependsOnOwn returns true.
func (s Set) Match(image registry.Image, own registry.Account) Decision {
	candidates, why := s.forAccount(image.Registry().Account(), own)
	if len(candidates) == 0 {
		return Decision{Why: why}
	}
	decision := Decision{Why: why + ", but no entry for it fits the region and the repository"}
	var best rank
	for _, r := range candidates {
		if !r.fitRegion(image.Registry().Region()) {
			continue
		}
		decision.PerRepository = decision.PerRepository || len(r.entry.Repositories) > 0
		if r.fitRepository(image.Repository()) && (decision.Entry == nil || r.compare(best) > 0) {
			decision.Entry, best = r.entry, r
		}
	}
	if decision.Entry != nil {
		decision.Why = why + best.String()
	}
	return decision
}

// forAccount is the first half of the precedence. It returns the entries that name
// the account. If there are none, it returns those of "*" that do not except it.
func (s Set) forAccount(account, own registry.Account) ([]rank, string) {
	var named, wild []rank
	isOwn, excepted := account == own, ""
	for i := range s.entries {
		e := &s.entries[i]
		switch a := e.Accounts; {
		case slices.Contains(a.Named, account):
			named = append(named, rank{entry: e, digits: 1})
		case a.Own && isOwn:
			named = append(named, rank{entry: e})
		case a.All && (slices.Contains(a.Except, account) || a.ExceptOwn && isOwn):
			excepted = e.Name
		case a.All:
			wild = append(wild, rank{entry: e})
		}
	}
	switch {
	case len(named) > 0:
		return named, "account " + account.String() + " is named"
	case len(wild) > 0:
		return wild, `"*" is for every account that no entry names`
	case excepted != "":
		return nil, "account " + account.String() + " is excepted by " + excepted
	}
	return nil, "no entry is for account " + account.String()
}

// rank is the second half of the precedence. First, the longest repository prefix wins.
// Then, an exact region wins over a pattern, and a pattern over no region. Last, an
// account by its digits wins over `own`.
type rank struct {
	entry  *Entry
	prefix string
	region string
	exact  int // 2: a region by name, 1: a pattern, 0: any region
	digits int // 1: the account by its digits, 0: by own or "*"
}

func (r rank) compare(other rank) int {
	return cmp.Or(len(r.prefix)-len(other.prefix), r.exact-other.exact, r.digits-other.digits)
}

func (r rank) String() string {
	s := ""
	if r.region != "" {
		s = fmt.Sprintf(", the region fits %q", r.region)
	}
	if r.prefix != "" {
		s += fmt.Sprintf(", the repository starts with %q", r.prefix)
	}
	return s
}

// fitRegion reports whether the entry is for the region, and stores how it matches.
func (r *rank) fitRegion(region registry.Region) bool {
	for _, p := range r.entry.Regions {
		if p.Match(region) && r.exact < 2 {
			r.region, r.exact = p.String(), 1
			if p.Exact() {
				r.exact = 2
			}
		}
	}
	return r.exact > 0 || len(r.entry.Regions) == 0
}

// fitRepository reports whether the entry is for the repository, and stores the longest
// matching prefix.
func (r *rank) fitRepository(repository string) bool {
	for _, prefix := range r.entry.Repositories {
		if strings.HasPrefix(repository, prefix) && len(prefix) > len(r.prefix) {
			r.prefix = prefix
		}
	}
	return r.prefix != "" || len(r.entry.Repositories) == 0
}
