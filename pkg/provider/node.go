package provider

import (
	"context"
	"fmt"
	"sync"
	"time"

	"ecr-cross-account-credential-provider/pkg/awsapi"
	"ecr-cross-account-credential-provider/pkg/cache"
	"ecr-cross-account-credential-provider/pkg/ecr"
	"ecr-cross-account-credential-provider/pkg/identity"
	"ecr-cross-account-credential-provider/pkg/plan"
	"ecr-cross-account-credential-provider/pkg/registry"
	"ecr-cross-account-credential-provider/pkg/secret"
)

// node is AWS as this node reaches it. Both functions read files once, when they
// are first needed: reading the SDK's configuration takes longer than a whole
// response from the cache.
type node struct {
	source  func() ([]string, error) // selects the identity and the endpoints
	connect func(context.Context) (connection, error)
	random  func() float64
	api     *awsapi.API // nil until connected
}

// connection is the API and the node's identity.
type connection struct {
	api  *awsapi.API
	node *identity.Node
}

func (p *Provider) node() *node {
	n := &node{random: p.AWS.Random}
	n.source = sync.OnceValues(func() ([]string, error) {
		defer p.AWS.Trace.Step("sdk")()
		return awsapi.Source(p.AWS.Environ, p.AWS)
	})
	var once sync.Once
	var c connection
	var err error
	n.connect = func(ctx context.Context) (connection, error) {
		once.Do(func() {
			defer p.AWS.Trace.Step("sdk")()
			if n.api, err = awsapi.Load(ctx, p.AWS); err == nil {
				c = connection{n.api, identity.NewNode(n.api, p.Hostname)}
			}
		})
		return c, err
	}
	return n
}

func (n *node) skew() time.Duration {
	if n.api == nil {
		return 0
	}
	return n.api.Skew()
}

// own returns the account of the node's identity. It does not change while the
// identity does not.
func (p *Provider) own(ctx context.Context, n *node) (registry.Account, error) {
	const fresh, life = 30 * 24 * time.Hour, 365 * 24 * time.Hour // an outage must not make it expire
	source, err := n.source()
	if err != nil {
		return registry.Account{}, err
	}
	defer p.AWS.Trace.Step("account")()
	request := cache.Request{Key: plan.Hash(append([]string{"own account"}, source...)...), Identity: "the node"}
	lease, err := p.Cache.Acquire(ctx, request, func(ctx context.Context) (cache.Token, error) {
		c, err := n.connect(ctx)
		if err != nil {
			return cache.Token{}, err
		}
		account, err := c.node.Account(ctx)
		return cache.Token{
			Secret: secret.New(account.String()), Fresh: fresh, Life: life,
			Note: "the node's own account is " + account.String(), // for cache list
		}, err
	})
	if err != nil {
		return registry.Account{}, err
	}
	return registry.ParseAccount(lease.Secret.Reveal())
}

// mint executes the plan: it gets the credentials and requests the token.
func (n *node) mint(ctx context.Context, o Outcome, token secret.Text) (cache.Token, error) {
	c, err := n.connect(ctx)
	if err != nil {
		return cache.Token{}, fmt.Errorf("no credentials for registry %s: %w", o.Registry, err)
	}
	p := o.Decision.Plan
	if p.API.Public {
		return n.mintPublic(ctx, c)
	}
	c.api.PreopenECR(ctx, p.API)
	chain := identity.Chain{API: c.api, Node: c.node, Registry: o.Registry, Entry: o.Decision.Entry.Name}
	session, err := chain.Execute(ctx, p, token)
	if err != nil {
		return cache.Token{}, err
	}
	minted, err := ecr.Authorize(ctx, c.api, p.API, o.Registry, session)
	if err != nil && session.Refusal != nil {
		return cache.Token{}, fmt.Errorf("%w; and before that, %w", err, session.Refusal)
	}
	if err != nil {
		return cache.Token{}, err
	}
	return n.keep(c.api, minted, session, p), nil
}

// mintPublic gets the token for ECR Public, whose API is in partition aws only.
func (n *node) mintPublic(ctx context.Context, c connection) (cache.Token, error) {
	region, err := c.node.Region(ctx)
	if err != nil {
		return cache.Token{}, err
	}
	if !region.IsZero() && region.Partition() != registry.AWS {
		return cache.Token{}, fmt.Errorf("partition %s has no ECR Public", region.Partition())
	}
	session, err := c.node.Session(ctx)
	if err != nil {
		return cache.Token{}, err
	}
	minted, err := ecr.AuthorizePublic(ctx, c.api, session)
	if err != nil {
		return cache.Token{}, err
	}
	return n.keep(c.api, minted, session, plan.Plan{}), nil
}

// keep is a new token for the cache.
func (n *node) keep(api *awsapi.API, token ecr.Token, session identity.Session, p plan.Plan) cache.Token {
	var left, requested time.Duration
	if !session.Ends.IsZero() {
		left, requested = api.Remaining(session.Ends), time.Duration(p.SessionSeconds())*time.Second
	}
	l := lifetimeOf(token.Life, left, requested)
	kept := cache.Token{Secret: token.Login, Fresh: Shorten(l.fresh, n.random()), Life: l.life, Identity: p.Identity()}
	if session.Refusal != nil {
		kept.Identity, kept.Note = plan.Plan{}.Identity(), session.Refusal.Error()
		kept.Fresh = min(kept.Fresh, Shorten(maxFallback, n.random()))
		kept.Life = kept.Fresh
	}
	return kept
}
