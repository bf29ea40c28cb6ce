package config

import (
	"fmt"
	"slices"
	"strings"

	"ecr-cross-account-credential-provider/pkg/printable"
	"ecr-cross-account-credential-provider/pkg/registry"
	"ecr-cross-account-credential-provider/pkg/rule"
)

// role builds the next role of an entry.
func (r *report) role(path string, doc *Role, e *rule.Entry) (role rule.RoleTemplate) {
	placeholders := rule.Placeholders(e.ServiceAccount != nil)
	set := func(path string, refined rule.RoleTemplate, err error) {
		if r.given(path) && r.check(path, err) {
			role = refined
		}
	}
	refined, err := rule.NewRoleTemplate(doc.ARN)
	set(path+".arn", refined, err)
	refined, err = role.WithExternalID(doc.ExternalID)
	set(path+".externalID", refined, err)
	refined, err = role.WithSessionName(doc.SessionName, placeholders)
	set(path+".sessionName", refined, err)
	duration, err := parseDuration(doc.Duration)
	if err == nil {
		refined, err = role.WithDuration(duration, len(e.Roles) > 0 || e.ServiceAccount != nil)
	}
	set(path+".duration", refined, err)
	for _, tag := range doc.SessionTags {
		refined, err = role.WithTag(tag.Key, tag.Value, placeholders)
		set(tag.Path, refined, err)
	}
	kinds := map[string]rule.PolicyKind{"PullOnly": rule.PullOnly, "PullThroughCache": rule.PullThroughCache}
	refined, err = role.WithPolicy(kinds[doc.Policy], e.Repositories)
	set(path+".policy", refined, err)
	return role
}

// checkRoles checks the roles of an entry against its other fields.
func (r *report) checkRoles(path string, e *rule.Entry) {
	const why = `is not allowed under accounts: ["*"]: the pod's author chooses the account that receives it`
	for i, role := range e.Roles {
		at := fmt.Sprintf("%s.assumeRoles[%d]", path, i)
		r.refuse(e.Accounts.All && role.HasExternalID(), at+".externalID", why)
		r.refuse(e.Accounts.All && role.HasTags(), at+".sessionTags", why)
		r.refuse(i < len(e.Roles)-1 && role.HasPolicy(), at+".policy", "is allowed only on the last role, which requests the token")
		r.checkPartition(at+".arn", role, e.Regions)
	}
	if s := e.ServiceAccount; s != nil && s.RoleARN != nil {
		r.checkPartition(path+".serviceAccount.roleARN", *s.RoleARN, e.Regions)
	}
	r.warnOfAccount(path, e)
}

func (r *report) checkPartition(path string, role rule.RoleTemplate, regions []registry.RegionPattern) {
	p, fixed := role.Partition()
	for i, region := range regions {
		if possible := region.Partitions(); fixed && !slices.Contains(possible, p) {
			r.problem(path, "is in partition %s, but regions[%d] %q is in %s; roles are assumed within one partition only", p, i, region, possible[0])
		}
	}
}

// warnOfAccount warns if the last role belongs to an account without registries in
// the entry. Such a role is rarely intended, because ECR's tokens belong to the
// account of the role.
func (r *report) warnOfAccount(path string, e *rule.Entry) {
	last := len(e.Roles) - 1
	if last < 0 || len(e.Accounts.Named) == 0 || e.Accounts.Own || e.Accounts.All {
		return
	}
	account, fixed := e.Roles[last].Account()
	if !fixed || slices.Contains(e.Accounts.Named, account) {
		return
	}
	w := Problem{Path: path, Message: fmt.Sprintf("account %s of the role that requests the token is not one of this entry's accounts; "+
		"repository policies must then allow that account", account)}
	if e.Line > 0 {
		w.File, w.Path = r.file, fmt.Sprintf("%s.assumeRoles[%d].arn", path, last)
		w.Line = r.line(w.Path)
	}
	r.warnings = append(r.warnings, w)
}

// serviceAccount builds the rule for service accounts as the source.
func (r *report) serviceAccount(path string, doc *ServiceAccount) *rule.ServiceAccount {
	s := &rule.ServiceAccount{
		RoleAnnotation:  doc.RoleAnnotation,
		AllowedRoles:    items(r, path+".allowedRoles", doc.AllowedRoles, rule.ParseRolePattern),
		NodeWhenNoToken: doc.WhenNoToken == "Node",
		NodeWhenNoRole:  doc.WhenNoRole == "Node",
	}
	if !isAnnotationKey(doc.RoleAnnotation) {
		r.problem(path+".roleAnnotation", "%q is not an annotation's key; want one such as %s", printable.Short(doc.RoleAnnotation), rule.DefaultRoleAnnotation)
	}
	if role, err := rule.NewRoleTemplate(doc.RoleARN); doc.RoleARN != "" && r.check(path+".roleARN", err) {
		s.RoleARN = &role
	}
	return s
}

const letters = "abcdefghijklmnopqrstuvwxyz0123456789._-"

// isAnnotationKey reports whether a key has the parts, lengths and characters of an
// annotation's key: an optional DNS name and a slash, and a name of at most 63
// characters. Kubernetes has more rules, such as for the first character.
func isAnnotationKey(s string) bool {
	prefix, name, prefixed := strings.Cut(s, "/")
	if !prefixed {
		prefix, name = "", s
	}
	return prefixed == (prefix != "") && len(prefix) <= 253 && name != "" && len(name) <= 63 &&
		strings.Trim(prefix+name, letters+strings.ToUpper(letters)) == ""
}
