package fakeaws

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Repository is a repository of a private registry. Without a name, it stands for
// the registry.
type Repository struct{ Account, Region, Name string }

// ARN returns the repository's ARN for policies.
func (r Repository) ARN() string {
	return fmt.Sprintf("arn:%s:ecr:%s:%s:repository/%s", partitionAt(r.Region).name, r.Region, r.Account, r.Name)
}

// AllowPull lets principals pull from a repository, by a statement in its policy. If
// the repository has no name, the statement is in the registry's policy (policy scope
// V2). Principals are role ARNs or account numbers.
func (w *World) AllowPull(from Repository, principals ...string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.resourcePolicies[from] = append(w.resourcePolicies[from], pullStatement(principals...))
}

// SetResourcePolicy sets the policy of a repository, or of a registry if the
// repository has no name.
func (w *World) SetResourcePolicy(of Repository, text string) error {
	d, err := of.parsePolicy(text)
	if err != nil {
		return err
	}
	w.keepPolicy(of, d)
	return nil
}

func (r Repository) parsePolicy(text string) (document, error) {
	if r.Name == "" {
		return parseDocument(text, registryPolicy)
	}
	return parseDocument(text, resourcePolicy)
}

// SetCacheRule makes a prefix of a registry a pull-through cache. The cache imports a
// missing image if the caller has the permissions.
func (w *World) SetCacheRule(account, region, prefix string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.cacheRules = append(w.cacheRules, Repository{account, region, prefix + "/"})
}

func (w *World) cached(r Repository) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.ContainsFunc(w.cacheRules, func(rule Repository) bool {
		return rule.Account == r.Account && rule.Region == r.Region && strings.HasPrefix(r.Name, rule.Name)
	})
}

// MayPull returns an error if a token does not allow getting a repository's manifests.
func (w *World) MayPull(g Grant, from Repository) error { return w.May(g, "ecr:BatchGetImage", from) }

// May returns an error if a token does not allow an action on a repository. Like ECR,
// it requires a token of the registry's region. Within an account, the role's
// permissions or a policy that names the caller or everybody must allow the action.
// Across accounts, both the role and a policy must allow it (IAM User Guide,
// "Cross-account policy evaluation logic").
func (w *World) May(g Grant, name string, on Repository) error {
	if g.Region != on.Region {
		return fmt.Errorf("the token is for %s, but the registry is in %s", g.Region, on.Region)
	}
	role, _ := w.role(g.Role)
	a := w.action(name, on.ARN(), on.Account, Credentials{Principal: g.Principal, Role: g.Role})
	policies := slices.Concat(w.policiesOf(on), w.policiesOf(Repository{Account: on.Account, Region: on.Region}))
	if refusal := w.pass(ECRDKREndpoint, a); refusal != nil {
		return errors.New(refusal.message)
	}
	bySession, byRole, byPolicy := a.evaluate(sessionPolicy(g.Policy)...), a.evaluate(role.permissions()...), a.evaluate(policies...)
	switch sameAccount := g.Account() == on.Account; {
	case bySession != allowed:
		return errors.New(a.refusal(bySession, "session"))
	case byRole == denied:
		return errors.New(a.refusal(byRole, "identity-based"))
	case byPolicy == denied:
		return errors.New(a.refusal(byPolicy, "resource-based"))
	case byRole == allowed && byPolicy == allowed, sameAccount && (byRole == allowed || a.namedIn(policies...)):
		return nil
	case byRole == allowed:
		return errors.New(a.refusal(byPolicy, "resource-based"))
	}
	return errors.New(a.refusal(byRole, "identity-based"))
}
