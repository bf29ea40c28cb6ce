package fakeaws

import (
	"fmt"
	"slices"
	"strings"
)

// action is an action that a caller requests.
type action struct {
	name, resource string
	// caller is the ARN of the caller's session, and role is the ARN of its role. Both
	// are empty if the caller has no identity yet.
	caller, role string
	// federated is the ARN of the OIDC provider of a web identity.
	federated string
	keys      map[string][]string // the condition keys, in lower case
}

// effect is the decision of policies on an action.
type effect int

const (
	silent effect = iota
	allowed
	denied
)

// evaluate returns the decision of all policies together. A denial overrides an Allow.
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

// covers reports whether a statement applies to the action.
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

// namedIn reports whether policies allow the action to everybody, or to the caller by
// its own ARN and not only by its account. Within an account that is sufficient.
func (a action) namedIn(policies ...document) bool {
	return slices.ContainsFunc(policies, func(d document) bool {
		return slices.ContainsFunc(d.Statement, func(s statement) bool {
			return s.Effect == "Allow" && s.Principal != nil && s.Principal.name(a) && s.covers(a)
		})
	})
}

// refusal returns AWS's message for a denial. It names the kind of policy if the
// caller's side may know it (IAM User Guide, "Troubleshoot access denied error
// messages").
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
