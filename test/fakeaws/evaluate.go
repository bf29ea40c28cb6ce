package fakeaws

import (
	"fmt"
	"slices"
	"strings"
)

// action is something that a caller wants to do.
type action struct {
	name, resource string
	// caller is the ARN of the caller's session, and role that of its role; both are
	// empty where the caller has no identity yet.
	caller, role string
	// federated is the ARN of the OIDC provider of a web identity.
	federated string
	keys      map[string][]string // of conditions, in lower case
}

// effect is what policies say of an action.
type effect int

const (
	silent effect = iota
	allowed
	denied
)

// evaluate returns what the policies say together: a denial wins.
func (a action) evaluate(policies ...document) effect {
	said := silent
	for _, d := range policies {
		for _, s := range d.Statement {
			if !s.covers(a) {
				continue
			}
			if s.Effect == "Deny" {
				return denied
			}
			said = allowed
		}
	}
	return said
}

// covers reports whether a statement is about the action.
func (s statement) covers(a action) bool {
	switch {
	case len(s.Action) > 0 && !s.Action.matchAction(a.name), len(s.NotAction) > 0 && s.NotAction.matchAction(a.name):
		return false
	case len(s.Resource) > 0 && !s.Resource.match(a.resource), len(s.NotResource) > 0 && s.NotResource.match(a.resource):
		return false
	case s.Principal != nil && !s.Principal.cover(a):
		return false
	}
	return !slices.ContainsFunc(s.hasCondition, func(c condition) bool { return !c.holds(a.keys) })
}

// cover reports whether the caller is one of the principals. An account stands for
// all its identities.
func (p principals) cover(a action) bool {
	if a.federated != "" && slices.Contains(p["Federated"], a.federated) {
		return true
	}
	return slices.ContainsFunc(p["AWS"], func(who string) bool {
		account, isRoot := strings.CutSuffix(who, ":root")
		if isRoot {
			account = accountOf(account + ":root")
		}
		return who == "*" || a.caller != "" && (who == a.role || who == a.caller || account == accountOf(a.role))
	})
}

// names reports whether a policy allows the action to the caller by its own ARN, not
// by its account: within an account that is enough.
func (a action) namedIn(policies ...document) bool {
	for _, d := range policies {
		for _, s := range d.Statement {
			if s.Effect == "Allow" && s.covers(a) && s.Principal != nil &&
				slices.ContainsFunc((*s.Principal)["AWS"], func(who string) bool { return who == a.role || who == a.caller || who == "*" }) {
				return true
			}
		}
	}
	return false
}

// refusal is the text of a denial, as AWS writes it: with the kind of the policy
// where that is known to the caller's side (IAM User Guide, "Troubleshoot access
// denied error messages").
func (a action) refusal(e effect, policies string) string {
	text := fmt.Sprintf("User: %s is not authorized to perform: %s on resource: %s", a.caller, a.name, a.resource)
	article := "a"
	if strings.HasPrefix(policies, "identity") {
		article = "an"
	}
	switch {
	case policies == "":
		return text
	case e == denied:
		return fmt.Sprintf("%s with an explicit deny in %s %s policy", text, article, policies)
	}
	return fmt.Sprintf("%s because no %s policy allows the %s action", text, policies, a.name)
}
