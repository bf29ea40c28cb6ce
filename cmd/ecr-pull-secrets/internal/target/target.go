// Package target lists the registries whose tokens a pull Secret holds.
package target

import (
	"fmt"
	"slices"
	"strings"

	"ecr-cross-account-credential-provider/pkg/config"
	"ecr-cross-account-credential-provider/pkg/plan"
	"ecr-cross-account-credential-provider/pkg/registry"
	"ecr-cross-account-credential-provider/pkg/rule"
)

// Target is a registry, or the repositories of a registry with a common prefix. It has
// the plan for the token.
type Target struct {
	// Key is the text that a kubelet compares with images: HOST or HOST/PREFIX.
	Key string
	// Host is the registry's host.
	Host string
	// Entry is the name of the configuration's entry.
	Entry string
	Plan  plan.Plan
}

// maxTargets limits a Secret's size. A token has about 4 KB, and a Secret at most 1
// MiB.
const maxTargets = 200

// Set holds the targets of a configuration. New returns one.
type Set struct{ config config.Config }

// New checks that a pull Secret can hold everything that the configuration names.
// Its error is config.Problems.
func New(c config.Config) (Set, error) {
	s := Set{c}
	var problems config.Problems
	for _, entry := range c.Rules.Entries() {
		for _, message := range unfit(entry) {
			problems = append(problems, problem(c, entry, message))
		}
	}
	if len(problems) > 0 {
		return Set{}, problems
	}
	anyAccount, err := registry.ParseAccount("000000000000")
	if err != nil {
		return Set{}, err
	}
	targets, err := s.List(anyAccount)
	switch {
	case err != nil:
		return Set{}, err
	case len(targets) == 0:
		return Set{}, config.Problems{{File: c.File, Path: "registries", Message: "names no registry; a pull Secret needs at least one"}}
	case len(targets) > maxTargets:
		return Set{}, config.Problems{{File: c.File, Path: "registries", Message: fmt.Sprintf(
			"names %d registries and prefixes; a pull Secret holds at most %d", len(targets), maxTargets)}}
	}
	return s, nil
}

// unfit returns the reasons why a pull Secret cannot serve an entry.
func unfit(e rule.Entry) (reasons []string) {
	if e.Accounts.All {
		reasons = append(reasons, `accounts: "*" names no registry, and a pull Secret lists each one; name the accounts by their digits`)
	}
	if e.ServiceAccount != nil {
		reasons = append(reasons, "source: ServiceAccount starts with a pod's own token, and a pull Secret is the same for all pods of its namespace; "+
			"use the plugin, or an entry with the source Node")
	}
	if len(e.Regions) == 0 {
		reasons = append(reasons, "regions: is required here, because a pull Secret lists each registry; name the regions")
	}
	for i, region := range e.Regions {
		if !region.Exact() {
			reasons = append(reasons, fmt.Sprintf("regions[%d]: %q is a pattern, and a pull Secret lists each registry; name the regions", i, region))
		}
	}
	return reasons
}

func problem(c config.Config, e rule.Entry, message string) config.Problem {
	p := config.Problem{File: c.File, Line: e.Line, Path: e.Name, Message: message}
	if field, rest, ok := strings.Cut(message, ": "); ok {
		p.Path, p.Message = e.Name+"."+field, rest
	}
	return p
}

// DependsOnOwn reports whether an entry is for the account of this program's own
// identity.
func (s Set) DependsOnOwn() bool {
	return slices.ContainsFunc(s.config.Rules.Entries(), func(e rule.Entry) bool { return e.Accounts.Own })
}

// List returns the targets in the order of their keys. own is the account of this
// program's own identity. If own is zero, List omits the entries for that account.
func (s Set) List(own registry.Account) ([]Target, error) {
	found := map[string]Target{}
	var problems config.Problems
	for _, entry := range byRank(s.config.Rules.Entries()) {
		for _, reg := range registries(entry, own) {
			p, err := plan.OfEntry(s.config, &entry, reg)
			if err != nil {
				problems = append(problems, problem(s.config, entry, err.Error()))
				continue
			}
			for _, prefix := range prefixes(entry) {
				t := Target{Key: reg.Host() + prefix, Host: reg.Host(), Entry: entry.Name, Plan: p}
				found[t.Key] = t
			}
		}
	}
	if len(problems) > 0 {
		return nil, problems
	}
	targets := make([]Target, 0, len(found))
	for _, t := range found {
		targets = append(targets, t)
	}
	slices.SortFunc(targets, func(a, b Target) int { return strings.Compare(a.Key, b.Key) })
	return targets, nil
}

// byRank sorts entries with own before entries that name accounts by digits. If both
// mean the same account, the entry with digits decides.
func byRank(entries []rule.Entry) []rule.Entry {
	slices.SortStableFunc(entries, func(a, b rule.Entry) int {
		switch {
		case a.Accounts.Own == b.Accounts.Own:
			return 0
		case a.Accounts.Own:
			return -1
		}
		return 1
	})
	return entries
}

// registries returns the registries that an entry names.
func registries(e rule.Entry, own registry.Account) (named []registry.Registry) {
	accounts := slices.Clone(e.Accounts.Named)
	if e.Accounts.Own && !own.IsZero() && !slices.Contains(accounts, own) {
		accounts = append(accounts, own)
	}
	for _, pattern := range e.Regions {
		region, err := registry.ParseRegion(pattern.String())
		if err != nil {
			continue // a pattern, which New refuses
		}
		for _, account := range accounts {
			named = append(named, registry.Private(account, region))
		}
	}
	return named
}

// prefixes returns the texts after the host in an entry's keys.
func prefixes(e rule.Entry) []string {
	if len(e.Repositories) == 0 {
		return []string{""}
	}
	all := make([]string, len(e.Repositories))
	for i, prefix := range e.Repositories {
		all[i] = "/" + plan.AuthPath(prefix)
	}
	return all
}
