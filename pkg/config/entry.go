package config

import (
	"fmt"
	"slices"
	"strings"

	"ecr-cross-account-credential-provider/pkg/printable"
	"ecr-cross-account-credential-provider/pkg/registry"
	"ecr-cross-account-credential-provider/pkg/rule"
)

// entry is a rule's entry and where it was written.
type entry struct {
	rule.Entry
	line int // 0: on the command line
	bad  bool
}

func (d *decoder) readEntry(v value) {
	before := len(d.problems)
	e := entry{Entry: rule.Entry{Name: v.path}, line: v.node.Line}
	v.fields(
		field{"accounts", func(v value) { v.list(e.readAccount) }},
		field{"exceptAccounts", func(v value) { v.list(e.readExcept) }},
		field{"regions", func(v value) { v.list(e.readRegion) }},
		field{"repositories", func(v value) { v.list(e.readRepository) }},
		field{"source", func(v value) {
			if v.choice("Node", "ServiceAccount") == 1 {
				e.ServiceAccount = &rule.ServiceAccount{RoleAnnotation: rule.DefaultRoleAnnotation}
			}
		}},
		field{"serviceAccount", e.readServiceAccount},
		field{"assumeRoles", func(v value) { v.list(e.readRole) }}, // after what its placeholders and policies depend on
		field{"whenRefused", func(v value) { e.NodeWhenRefused = v.choice("Fail", "Node") == 1 }},
	)
	v.require("accounts", `want a list of account numbers, own, or "*"`)
	e.check(v)
	e.bad = len(d.problems) > before
	d.entries = append(d.entries, e)
}

// check looks at what the fields mean together.
func (e *entry) check(v value) {
	switch all := e.Accounts.All; {
	case all && (len(e.Accounts.Named) > 0 || e.Accounts.Own):
		v.problem(`accounts: "*" stands alone; give the other accounts an entry of their own`)
	case all && len(e.Roles) > 0:
		v.require("exceptAccounts", `beside "*" with assumeRoles it lists the accounts without such a role: own, and AWS's own such as "602401143452"`)
	case !all && v.has("exceptAccounts"):
		v.problem(`exceptAccounts stands beside accounts: ["*"] only`)
	}
	if v.has("whenRefused") && !v.has("assumeRoles") && e.ServiceAccount == nil {
		v.problem("whenRefused is about assumeRoles, and there are none")
	}
	if e.ServiceAccount != nil {
		v.require("serviceAccount", "beside source: ServiceAccount it says which roles service accounts may start with")
		if role := e.ServiceAccount.RoleARN; role != nil {
			e.checkPartition(v, "serviceAccount.roleARN", *role)
		}
	}
	for i, role := range e.Roles {
		e.checkRole(v, fmt.Sprintf("assumeRoles[%d]", i), role)
		if i < len(e.Roles)-1 && role.HasPolicy() {
			v.problem("assumeRoles[%d].policy stands on the last role only, which asks for the token", i)
		}
	}
}

func (e *entry) checkRole(v value, path string, role rule.RoleTemplate) {
	if e.Accounts.All && role.HasExternalID() {
		v.problem(`%s.externalID can't stand under accounts: ["*"], where whoever names an image chooses which account gets to see it`, path)
	}
	if e.Accounts.All && role.HasTags() {
		v.problem(`%s.sessionTags can't stand under accounts: ["*"], where whoever names an image chooses which account gets to see them`, path)
	}
	e.checkPartition(v, path+".arn", role)
}

func (e *entry) checkPartition(v value, path string, role rule.RoleTemplate) {
	p, fixed := role.Partition()
	if !fixed {
		return
	}
	for i, region := range e.Regions {
		if possible := region.Partitions(); !slices.Contains(possible, p) {
			v.problem("%s is of partition %s, but regions[%d] %q of %s; roles are assumed within one partition only",
				path, p, i, region, possible[0])
		}
	}
}

func (e *entry) readAccount(v value) {
	text, ok := v.text()
	switch {
	case !ok:
	case text == "own":
		v.once(&e.Accounts.Own)
	case text == "*":
		v.once(&e.Accounts.All)
	default:
		v.appendAccount(&e.Accounts.Named, text)
	}
}

func (e *entry) readExcept(v value) {
	text, ok := v.text()
	switch {
	case !ok:
	case text == "own":
		v.once(&e.Accounts.ExceptOwn)
	default:
		v.appendAccount(&e.Accounts.Except, text)
	}
}

// once sets what may be set once.
func (v value) once(set *bool) {
	if *set {
		v.problem("is there twice")
	}
	*set = true
}

func (v value) appendAccount(accounts *[]registry.Account, text string) {
	account, err := registry.ParseAccount(text)
	switch {
	case err != nil:
		v.problem("%q is not an account; want 12 digits, quoted or not, or own", printable.Short(text))
	case slices.Contains(*accounts, account):
		v.problem("%q is there twice", text)
	default:
		*accounts = append(*accounts, account)
	}
}

func (e *entry) readRegion(v value) {
	if text, ok := v.text(); ok {
		region, err := registry.ParseRegionPattern(text)
		if err != nil {
			v.problem("%w", err)
			return
		}
		e.Regions = append(e.Regions, region)
	}
}

func (e *entry) readRepository(v value) {
	prefix, ok := v.text()
	switch {
	case !ok:
	case prefix == "" || strings.HasPrefix(prefix, "/"):
		v.problem("%q is not the start of a repository's name; want one such as team-a/", printable.Short(prefix))
	case strings.ContainsFunc(prefix, isNoRepositoryRune):
		v.problem("%q can start no repository's name: it is a plain prefix of lower-case letters, digits and . _ - /", printable.Short(prefix))
	case slices.Contains(e.Repositories, prefix):
		v.problem("%q is there twice", printable.Short(prefix))
	default:
		e.Repositories = append(e.Repositories, prefix)
	}
}

func isNoRepositoryRune(r rune) bool {
	return (r < 'a' || r > 'z') && (r < '0' || r > '9') && !strings.ContainsRune("._-/", r)
}

// buildRules makes the rules of the good entries, and finds those that tie.
func (d *decoder) buildRules() {
	var good []rule.Entry
	var lines []int
	for _, e := range d.entries {
		if !e.bad {
			good, lines = append(good, e.Entry), append(lines, e.line)
		}
	}
	rules, conflicts := rule.NewSet(good)
	for _, c := range conflicts {
		d.problemAt(lines[c.Second], good[c.Second].Name, "can match the same images as %s at equal rank (%s); make one of them narrower",
			good[c.First].Name, c.What)
	}
	d.config.Rules = rules
}
