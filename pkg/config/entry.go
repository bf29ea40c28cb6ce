package config

import (
	"fmt"
	"slices"
	"strings"

	"ecr-cross-account-credential-provider/pkg/printable"
	"ecr-cross-account-credential-provider/pkg/registry"
	"ecr-cross-account-credential-provider/pkg/rule"
)

// entry builds the rule of an entry, and reports the entry's problems.
func (r *report) entry(path string, doc *Entry) rule.Entry {
	e := rule.Entry{
		Name:            path,
		Line:            r.line(path),
		Repositories:    items(r, path+".repositories", doc.Repositories, repository),
		Regions:         items(r, path+".regions", doc.Regions, r.region),
		NodeWhenRefused: doc.WhenRefused == "Node",
	}
	a := &e.Accounts
	a.Named = r.accounts(path+".accounts", doc.Accounts, map[string]*bool{"own": &a.Own, "*": &a.All})
	a.Except = r.accounts(path+".exceptAccounts", doc.ExceptAccounts, map[string]*bool{"own": &a.ExceptOwn})
	if doc.Source == "ServiceAccount" {
		e.ServiceAccount = r.serviceAccount(path+".serviceAccount", &doc.ServiceAccount)
	}
	for i := range doc.AssumeRoles {
		e.Roles = append(e.Roles, r.role(fmt.Sprintf("%s.assumeRoles[%d]", path, i), &doc.AssumeRoles[i], &e))
	}
	r.checkEntry(path, &e)
	r.checkRoles(path, &e)
	return e
}

// items parses the items of a list that have no problem yet.
func items[T any](r *report, path string, texts []string, parse func(string) (T, error)) (parsed []T) {
	for i, text := range texts {
		if at := fmt.Sprintf("%s[%d]", path, i); !r.bad[at] {
			if item, err := parse(text); r.check(at, err) {
				parsed = append(parsed, item)
			}
		}
	}
	return parsed
}

// accounts parses accounts. They may include the given words, such as own.
func (r *report) accounts(path string, texts []string, words map[string]*bool) []registry.Account {
	named := items(r, path, texts, func(text string) (registry.Account, error) {
		if word := words[text]; word != nil {
			*word = true
			return registry.Account{}, nil
		}
		account, err := registry.ParseAccount(text)
		if err != nil {
			err = fmt.Errorf("%q is not an account; want 12 digits, quoted or not, or own", printable.Short(text))
		}
		return account, err
	})
	return slices.DeleteFunc(named, registry.Account.IsZero)
}

// maxPatterns is the maximum number of different regions and patterns in all
// entries. The search for entries of equal rank compares each pair of them.
const maxPatterns = 256

func (r *report) region(text string) (registry.RegionPattern, error) {
	region, err := registry.ParseRegionPattern(text)
	if err == nil && len(r.patterns) == maxPatterns && !r.patterns[text] {
		err = fmt.Errorf("is one pattern too many; at most %d different ones are allowed in all entries", maxPatterns)
	}
	r.patterns[text] = true
	return region, err
}

func repository(prefix string) (string, error) {
	if prefix == "" || len(prefix) > 256 || prefix[0] == '/' || strings.Trim(prefix, letters+"/") != "" {
		return "", fmt.Errorf("%q is not the start of a repository's name; want up to 256 lower-case letters, digits and . _ - /, such as team-a/",
			printable.Short(prefix))
	}
	return prefix, nil
}

// checkEntry checks the fields of an entry against one another.
func (r *report) checkEntry(path string, e *rule.Entry) {
	all, node := e.Accounts.All, e.ServiceAccount == nil
	except, source, refused := path+".exceptAccounts", path+".serviceAccount", path+".whenRefused"
	r.refuse(all && (len(e.Accounts.Named) > 0 || e.Accounts.Own), path+".accounts",
		`"*" must stand alone; move the other accounts to an entry of their own`)
	r.refuse(all && len(e.Roles) > 0 && !r.has(except), except,
		`is required beside "*" with assumeRoles; list the accounts without such a role: own, and accounts of AWS such as "602401143452"`)
	r.refuse(!all && r.has(except), except, `is allowed only beside accounts: ["*"]`)
	r.refuse(!node && !r.has(source), source, "is required beside source: ServiceAccount; want a mapping with allowedRoles")
	r.refuse(node && r.has(source), source, "is allowed only beside source: ServiceAccount")
	r.refuse(!node && e.NodeWhenRefused, refused, "Node is not allowed beside source: ServiceAccount; "+
		"the annotation's author could name a role that does not exist, and get the node's identity")
	r.refuse(node && r.has(refused) && !r.has(path+".assumeRoles"), refused, "is allowed only beside assumeRoles")
}

// maxConflicts is the maximum number of reported conflicts. 1,000 equal entries
// would have half a million.
const maxConflicts = 100

// rules builds the set of the entries that have no problems.
func (r *report) rules(entries []rule.Entry) rule.Set {
	if len(r.patterns) > maxPatterns {
		return rule.Set{}
	}
	good := slices.DeleteFunc(slices.Clone(entries), func(e rule.Entry) bool { return r.bad[e.Name] })
	rules, conflicts := rule.NewSet(good)
	for _, c := range conflicts[:min(len(conflicts), maxConflicts)] {
		r.problem(good[c.Second].Name, "can match the same images as %s at equal rank (%s); make one of them narrower",
			good[c.First].Name, c.What)
	}
	return rules
}
