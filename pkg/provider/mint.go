package provider

import (
	"context"
	"fmt"
	"time"

	"ecr-cross-account-credential-provider/pkg/awsapi"
	"ecr-cross-account-credential-provider/pkg/cache"
	"ecr-cross-account-credential-provider/pkg/ecr"
	"ecr-cross-account-credential-provider/pkg/identity"
	"ecr-cross-account-credential-provider/pkg/plan"
	"ecr-cross-account-credential-provider/pkg/registry"
	"ecr-cross-account-credential-provider/pkg/secret"
)

// Minter executes plans. It retrieves the node's credentials only once, so it is only
// for requests at about the same time.
type Minter struct {
	API  *awsapi.API
	Node *identity.Node
	// Random returns a number in [0, 1).
	Random func() float64
}

// Order says which token to mint.
type Order struct {
	// Registry and Entry are for messages: the registry's host, and the name of the
	// configuration's entry.
	Registry, Entry string
	// Plan is for a private registry.
	Plan plan.Plan
	// Token is the pod's service account token, if the plan starts with one.
	Token secret.Text
}

// Mint executes a plan: it gets the credentials and requests the token.
func (m Minter) Mint(ctx context.Context, o Order) (cache.Token, error) {
	m.API.PreopenECR(ctx, o.Plan.API)
	chain := identity.Chain{API: m.API, Node: m.Node, Registry: o.Registry, Entry: o.Entry}
	session, err := chain.Execute(ctx, o.Plan, o.Token)
	if err != nil {
		return cache.Token{}, err
	}
	minted, err := ecr.Authorize(ctx, m.API, o.Plan.API, o.Registry, session)
	if err != nil && session.Refusal != nil {
		return cache.Token{}, fmt.Errorf("%[2]w; and before that, %[1]w", session.Refusal, err) // the class of the first argument counts
	}
	if err != nil {
		return cache.Token{}, err
	}
	return m.keep(minted, session, o.Plan), nil
}

// mintPublic gets the token for ECR Public. Its API exists in partition aws only.
func (m Minter) mintPublic(ctx context.Context) (cache.Token, error) {
	region, err := m.Node.Region(ctx)
	if err != nil {
		return cache.Token{}, err
	}
	if !region.IsZero() && region.Partition() != registry.AWS {
		return cache.Token{}, fmt.Errorf("partition %s has no ECR Public", region.Partition())
	}
	session, err := m.Node.Session(ctx)
	if err != nil {
		return cache.Token{}, err
	}
	minted, err := ecr.AuthorizePublic(ctx, m.API, session)
	if err != nil {
		return cache.Token{}, err
	}
	return m.keep(minted, session, plan.Plan{}), nil
}

// keep returns a new token in the form that the cache keeps.
func (m Minter) keep(token ecr.Token, session identity.Session, p plan.Plan) cache.Token {
	var left, requested time.Duration
	if !session.Ends.IsZero() {
		left, requested = m.API.Remaining(session.Ends), time.Duration(p.SessionSeconds())*time.Second
	}
	fresh := freshLife(token.Life, left, requested)
	kept := cache.Token{Secret: token.Login, Fresh: Shorten(fresh, m.Random()), Life: token.Life, Identity: p.Identity()}
	if session.Refusal != nil {
		kept.Identity, kept.Note = plan.Plan{}.Identity(), session.Refusal.Error()
		kept.Fresh = min(kept.Fresh, Shorten(maxFallback, m.Random()))
		kept.Life = kept.Fresh
	}
	return kept
}
