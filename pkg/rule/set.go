package rule

import (
	"fmt"
	"slices"
	"strings"

	"ecr-cross-account-credential-provider/pkg/registry"
)

// Set is all entries of a configuration, free of ties. NewSet makes it; the
// zero value has no entries.
type Set struct{ entries []Entry }

// Entries are the set's entries, in the order of the configuration.
func (s Set) Entries() []Entry { return s.entries }

// DependsOnOwn tells whether the node's own account has a say in which entry
// governs the image: where an entry names it by `own`, which keeps it out of
// "*" in every region, or "*" excepts it.
func (s Set) DependsOnOwn(image registry.Image) bool {
	var named, own, wild, wildButOwn bool
	for i := range s.entries {
		a, fits := s.entries[i].Accounts, s.entries[i].hasRegion(image.Registry())
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
// never falls to "*"; among the entries left, the rank decides. own is the
// account of the node's identity, and need be known only where DependsOnOwn.
func (s Set) Match(image registry.Image, own registry.Account) Decision {
	reg := image.Registry()
	candidates, why := s.forAccount(reg.Account(), own)
	if len(candidates) == 0 {
		return Decision{Why: why}
	}
	decision := Decision{Why: why + ", but no entry for it fits the region and the repository"}
	var best rank
	for _, c := range candidates {
		if !c.entry.hasRegion(reg) {
			continue
		}
		decision.PerRepository = decision.PerRepository || len(c.entry.Repositories) > 0
		r, ok := c.entry.rank(image)
		r.byDigits = c.byDigits
		if ok && (decision.Entry == nil || r.above(best)) {
			decision.Entry, best = c.entry, r
		}
	}
	if decision.Entry != nil {
		decision.Why = why + best.String()
	}
	return decision
}

// candidate is an entry for an account.
type candidate struct {
	entry    *Entry
	byDigits bool // not by `own`
}

// forAccount is the first half of the precedence: the entries that name the
// account, and if there are none, those of "*" that do not except it.
func (s Set) forAccount(account, own registry.Account) ([]candidate, string) {
	var named, wild []candidate
	isOwn := account == own
	excepted := ""
	for i := range s.entries {
		e := &s.entries[i]
		switch a := e.Accounts; {
		case slices.Contains(a.Named, account):
			named = append(named, candidate{e, true})
		case a.Own && isOwn:
			named = append(named, candidate{e, false})
		case a.All && (slices.Contains(a.Except, account) || a.ExceptOwn && isOwn):
			excepted = e.Name
		case a.All:
			wild = append(wild, candidate{e, false})
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

// rank is the second half of the precedence: the longer repository prefix,
// then an exact region before a pattern before none, then an account by its
// digits before `own`.
type rank struct {
	prefix   string
	region   string
	exact    int // 2: a region by name, 1: by a pattern, 0: any
	byDigits bool
}

func (r rank) above(other rank) bool {
	if len(r.prefix) != len(other.prefix) {
		return len(r.prefix) > len(other.prefix)
	}
	if r.exact != other.exact {
		return r.exact > other.exact
	}
	return r.byDigits && !other.byDigits
}

func (r rank) String() string {
	var s strings.Builder
	if r.region != "" {
		fmt.Fprintf(&s, ", the region fits %q", r.region)
	}
	if r.prefix != "" {
		fmt.Fprintf(&s, ", the repository starts with %q", r.prefix)
	}
	return s.String()
}

// rank is the highest that the entry has for an image, false if it does not fit.
func (e *Entry) rank(image registry.Image) (rank, bool) {
	region, exact, ok := e.regionRank(image.Registry().Region())
	if !ok {
		return rank{}, false
	}
	prefix, ok := e.longestPrefix(image.Repository())
	return rank{prefix: prefix, region: region, exact: exact}, ok
}

func (e *Entry) hasRegion(r registry.Registry) bool {
	_, _, ok := e.regionRank(r.Region())
	return ok
}

func (e *Entry) regionRank(region registry.Region) (pattern string, exact int, ok bool) {
	if len(e.Regions) == 0 {
		return "", 0, true
	}
	for _, p := range e.Regions {
		switch {
		case !p.Match(region):
		case p.Exact():
			return p.String(), 2, true
		default:
			pattern, exact, ok = p.String(), 1, true
		}
	}
	return pattern, exact, ok
}

func (e *Entry) longestPrefix(repository string) (longest string, ok bool) {
	if len(e.Repositories) == 0 {
		return "", true
	}
	for _, prefix := range e.Repositories {
		if strings.HasPrefix(repository, prefix) && len(prefix) >= len(longest) {
			longest, ok = prefix, true
		}
	}
	return longest, ok
}
