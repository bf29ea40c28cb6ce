package fakeaws

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Repository is a repository of a private registry. Without a name it stands for
// the registry.
type Repository struct{ Account, Region, Name string }

// ARN is how policies name the repository.
func (r Repository) ARN() string {
	return fmt.Sprintf("arn:%s:ecr:%s:%s:repository/%s", partitionAt(r.Region).name, r.Region, r.Account, r.Name)
}

// AllowPull puts a statement in a repository's policy, or in its registry's if
// the repository has no name (policy scope V2), that lets principals pull: ARNs
// of roles, or numbers of accounts.
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

// SetCacheRule makes a prefix of a registry a pull-through cache: what is not there
// is imported, if the puller may.
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

// MayPull tells whether a token is good for a repository's manifests.
func (w *World) MayPull(g Grant, from Repository) error { return w.May(g, "ecr:BatchGetImage", from) }

// May tells whether a token is good for an action on a repository, as ECR decides
// it: the token's region is the registry's, and within an account the role's
// permissions or a policy on the repository allow it, across accounts both (IAM User
// Guide, "Cross-account policy evaluation logic").
func (w *World) May(g Grant, name string, on Repository) error {
	if g.Region != on.Region {
		return fmt.Errorf("the token is one of %s, the registry is in %s", g.Region, on.Region)
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
