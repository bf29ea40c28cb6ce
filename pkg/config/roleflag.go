package config

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"ecr-cross-account-credential-provider/pkg/registry"
	"ecr-cross-account-credential-provider/pkg/rule"
)

// RoleFlag is a --role argument, ACCOUNT=ROLE_ARN. It is an entry for the account
// with that one role.
type RoleFlag string

// addRoles adds the entries of --role arguments to those of the file.
func (r *report) addRoles(entries []rule.Entry, roles []RoleFlag) []rule.Entry {
	for _, flag := range roles {
		e, err := flag.entry(entries)
		if err != nil {
			r.problems = append(r.problems, Problem{Path: "--role " + oneWord(string(flag)), Message: err.Error()})
			continue
		}
		r.warnOfAccount(e.Name, &e)
		entries = append(entries, e)
	}
	return entries
}

// entry returns the entry of the argument. No other entry may name its account.
func (f RoleFlag) entry(others []rule.Entry) (rule.Entry, error) {
	id, arn, ok := strings.Cut(string(f), "=")
	if !ok {
		return rule.Entry{}, errors.New("want ACCOUNT=ROLE_ARN")
	}
	account, err := registry.ParseAccount(id)
	if err != nil {
		return rule.Entry{}, err
	}
	role, err := rule.NewRoleTemplate(arn)
	if err != nil {
		return rule.Entry{}, err
	}
	for _, e := range others {
		if slices.Contains(e.Accounts.Named, account) {
			return rule.Entry{}, fmt.Errorf("duplicate account %s, named by %s", account, e.Name)
		}
	}
	return rule.Entry{
		Name:     "--role " + id,
		Accounts: rule.Accounts{Named: []registry.Account{account}},
		Roles:    []rule.RoleTemplate{role},
	}, nil
}
