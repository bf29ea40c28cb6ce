package fakeaws

import (
	"fmt"
	"slices"
	"strings"
)

// Repository is a repository of a private registry. Without a name it stands for
// the registry.
type Repository struct{ Account, Region, Name string }

// ARN is how policies name the repository.
func (r Repository) ARN() string {
	return fmt.Sprintf("arn:aws:ecr:%s:%s:repository/%s", r.Region, r.Account, r.Name)
}

// AllowPull puts a statement in a repository's policy, or in its registry's if
// the repository has no name (policy scope V2), that lets principals pull: ARNs
// of roles, or numbers of accounts.
func (w *World) AllowPull(from Repository, principals ...string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.pullPolicies[from] = append(w.pullPolicies[from], principals...)
}

// MayPull tells whether a token is good for a repository, as ECR decides it: the
// token's region is the registry's, and within an account the role's permissions
// or a policy on the repository allow it, across accounts both (IAM User Guide,
// "Cross-account policy evaluation logic").
func (w *World) MayPull(g Grant, from Repository) error {
	if g.Region != from.Region {
		return fmt.Errorf("the token is one of %s, the registry is in %s", g.Region, from.Region)
	}
	role, _ := w.role(g.Role)
	byRole, byPolicy := role.mayPull(from), w.policyAllows(g, from)
	const action = "ecr:BatchGetImage"
	refusal := fmt.Sprintf("User: %s is not authorized to perform: %s on resource: %s because no ", g.Principal, action, from.ARN())
	if !g.policyAllows(action, from) {
		return fmt.Errorf("%ssession policy allows the %s action", refusal, action)
	}
	switch sameAccount := g.Account() == from.Account; {
	case byRole && byPolicy, sameAccount && (byRole || byPolicy):
		return nil
	case byRole:
		return fmt.Errorf("%sresource-based policy allows the %s action", refusal, action)
	default:
		return fmt.Errorf("%sidentity-based policy allows the %s action", refusal, action)
	}
}

// mayPull evaluates the role's permissions.
func (r Role) mayPull(from Repository) bool {
	return slices.ContainsFunc(r.Pull, func(pattern string) bool {
		prefix, wild := strings.CutSuffix(pattern, "*")
		return pattern == from.ARN() || wild && strings.HasPrefix(from.ARN(), prefix)
	})
}

// policyAllows evaluates the policies of the repository and of its registry.
func (w *World) policyAllows(g Grant, from Repository) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	registry := Repository{Account: from.Account, Region: from.Region}
	return slices.ContainsFunc(slices.Concat(w.pullPolicies[from], w.pullPolicies[registry]), func(principal string) bool {
		return principal == g.Role || principal == g.Account()
	})
}
