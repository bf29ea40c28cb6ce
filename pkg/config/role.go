package config

import (
	"slices"
	"strings"

	"ecr-cross-account-credential-provider/pkg/printable"
	"ecr-cross-account-credential-provider/pkg/rule"
)

// readRole reads a role of assumeRoles.
func (e *entry) readRole(v value) {
	var role rule.RoleTemplate
	set := func(refine func(string) (rule.RoleTemplate, error)) func(value) {
		return func(v value) {
			text, ok := v.text()
			if !ok {
				return
			}
			refined, err := refine(text)
			if err != nil {
				v.problem("%w", err)
				return
			}
			role = refined
		}
	}
	chained := len(e.Roles) > 0 || e.ServiceAccount != nil
	placeholders := rule.Placeholders(e.ServiceAccount != nil)
	v.fields(
		field{"arn", set(rule.NewRoleTemplate)},
		field{"externalID", set(func(s string) (rule.RoleTemplate, error) { return role.WithExternalID(s) })},
		field{"sessionName", set(func(s string) (rule.RoleTemplate, error) { return role.WithSessionName(s, placeholders) })},
		field{"duration", set(func(s string) (rule.RoleTemplate, error) {
			d, err := parseDuration(s)
			if err != nil {
				return role, err
			}
			return role.WithDuration(d, chained)
		})},
		field{"sessionTags", func(v value) {
			v.pairs(func(key string, v value) {
				set(func(s string) (rule.RoleTemplate, error) { return role.WithTag(key, s, placeholders) })(v)
			})
		}},
		field{"policy", func(v value) {
			refined, err := role.WithPolicy(rule.PullOnly+rule.PolicyKind(v.choice("PullOnly", "PullThroughCache")), e.Repositories)
			if err != nil {
				v.problem("%w", err)
			}
			role = refined
		}},
	)
	v.require("arn", "want the ARN of the role to assume")
	e.Roles = append(e.Roles, role)
}

// readServiceAccount reads how a service account becomes the source.
func (e *entry) readServiceAccount(v value) {
	if e.ServiceAccount == nil {
		v.problem("stands beside source: ServiceAccount only")
		return
	}
	s := e.ServiceAccount
	v.fields(
		field{"roleAnnotation", func(v value) {
			text, ok := v.text()
			if ok && !isAnnotationKey(text) {
				v.problem("%q is not an annotation's key; want one such as %s", printable.Short(text), rule.DefaultRoleAnnotation)
			}
			s.RoleAnnotation = text
		}},
		field{"roleARN", func(v value) {
			if text, ok := v.text(); ok && text != "" {
				role, err := rule.NewRoleTemplate(text)
				if err != nil {
					v.problem("%w", err)
				}
				s.RoleARN = &role
			}
		}},
		field{"allowedRoles", func(v value) { v.list(func(v value) { s.AllowedRoles = append(s.AllowedRoles, v.rolePattern(s)...) }) }},
		field{"whenNoToken", func(v value) { s.NodeWhenNoToken = v.choice("Refuse", "Node") == 1 }},
		field{"whenNoRole", func(v value) { s.NodeWhenNoRole = v.choice("Refuse", "Node") == 1 }},
	)
	v.require("allowedRoles", "want the roles that an annotation may name")
}

// isAnnotationKey tells a key that Kubernetes takes: a name of at most 63
// characters, and a DNS name and a slash before it if need be.
func isAnnotationKey(s string) bool {
	prefix, name, prefixed := strings.Cut(s, "/")
	if !prefixed {
		prefix, name = "", s
	}
	return prefixed == (prefix != "") && len(prefix) <= 253 && name != "" && len(name) <= 63 &&
		!strings.ContainsFunc(prefix+name, isNoAnnotationRune)
}

func isNoAnnotationRune(r rune) bool {
	return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && !strings.ContainsRune("._-", r)
}

// rolePattern reads one of allowedRoles; none if it is wrong or there already.
func (v value) rolePattern(s *rule.ServiceAccount) []rule.RolePattern {
	text, ok := v.text()
	if !ok {
		return nil
	}
	pattern, err := rule.ParseRolePattern(text)
	switch {
	case err != nil:
		v.problem("%w", err)
		return nil
	case slices.ContainsFunc(s.AllowedRoles, func(p rule.RolePattern) bool { return p.String() == text }):
		v.problem("%q is there twice", printable.Short(text))
		return nil
	}
	return []rule.RolePattern{pattern}
}
