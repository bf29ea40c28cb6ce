package fakeaws

import (
	"fmt"
	"slices"
	"strings"
)

// principals are the principals of a statement, by kind. "*" means everybody.
type principals map[string]values

// UnmarshalJSON reads "*" or principals by kind.
func (p *principals) UnmarshalJSON(data []byte) error {
	if string(data) == `"*"` {
		*p = principals{"AWS": {Everybody}}
		return nil
	}
	return strict(data, (*map[string]values)(p))
}

// check refuses invalid principals. AWS accepts no patterns, except the single "*".
func (p principals) check(k kind) error {
	for kind, all := range p {
		for _, who := range all {
			var ok bool
			switch kind {
			case "AWS":
				ok = who == Everybody || k != gatewayPolicy && isAWSPrincipal(who)
			case "Federated":
				ok = k == trustPolicy && strings.HasPrefix(who, "arn:") && strings.Contains(who, ":oidc-provider/")
			case "Service":
				ok = strings.Contains(who, ".amazonaws.com")
			}
			if !ok {
				return fmt.Errorf("invalid principal in policy: %q:%q", kind, who)
			}
		}
	}
	return nil
}

// isAWSPrincipal reports whether a text names an account, a role or a session.
func isAWSPrincipal(who string) bool {
	if len(who) == 12 && strings.Trim(who, "0123456789") == "" {
		return true
	}
	parts := strings.SplitN(who, ":", 6)
	if len(parts) < 6 || parts[0] != "arn" || len(parts[4]) != 12 || strings.ContainsAny(who, "*?") {
		return false
	}
	return parts[2] == "iam" && (parts[5] == "root" || strings.HasPrefix(parts[5], "role/")) ||
		parts[2] == "sts" && strings.HasPrefix(parts[5], "assumed-role/")
}

// cover reports whether the principals include the caller. An account includes all
// identities in it.
func (p principals) cover(a action) bool {
	if a.federated != "" && slices.Contains(p["Federated"], a.federated) {
		return true
	}
	return p.name(a) || a.role != "" && slices.ContainsFunc(p["AWS"], func(who string) bool {
		return who == accountOf(a.role) || strings.HasSuffix(who, ":root") && accountOf(who) == accountOf(a.role)
	})
}

// name reports whether the principals include the caller's own ARN, or everybody.
func (p principals) name(a action) bool {
	return slices.ContainsFunc(p["AWS"], func(who string) bool {
		return who == Everybody || a.caller != "" && (who == a.role || who == a.caller)
	})
}

// missingPrincipal returns the first role in a policy that does not exist, or "".
func (w *World) missingPrincipal(d document) string {
	for _, s := range d.Statement {
		if s.Principal == nil {
			continue
		}
		for _, who := range (*s.Principal)["AWS"] {
			if _, ok := w.role(who); strings.Contains(who, ":role/") && !ok {
				return who
			}
		}
	}
	return ""
}
