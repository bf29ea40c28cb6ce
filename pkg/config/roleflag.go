package config

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"ecr-cross-account-credential-provider/pkg/registry"
	"ecr-cross-account-credential-provider/pkg/rule"
)

// RoleFlag is a --role argument, ACCOUNT=ROLE_ARN: an entry for the account
// with that one role.
type RoleFlag string

func (d *decoder) addRoles(roles []RoleFlag) {
	for _, flag := range roles {
		e, err := flag.entry()
		if err == nil {
			err = d.checkUnnamed(e.Accounts.Named[0])
		}
		if err != nil {
			d.problems = append(d.problems, Problem{Path: "--role " + oneWord(string(flag)), Text: err.Error()})
			continue
		}
		d.entries = append(d.entries, entry{Entry: e})
	}
}

func (f RoleFlag) entry() (rule.Entry, error) {
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
	return rule.Entry{
		Name:     "--role " + id,
		Accounts: rule.Accounts{Named: []registry.Account{account}},
		Roles:    []rule.RoleTemplate{role},
	}, nil
}

func (d *decoder) checkUnnamed(account registry.Account) error {
	for _, e := range d.entries {
		if slices.Contains(e.Accounts.Named, account) {
			return fmt.Errorf("account %s is named by %s already", account, e.Name)
		}
	}
	return nil
}
