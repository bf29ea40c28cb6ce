package provider

import (
	"context"
	"fmt"
	"sync"
	"time"

	"ecr-cross-account-credential-provider/pkg/awsapi"
	"ecr-cross-account-credential-provider/pkg/cache"
	"ecr-cross-account-credential-provider/pkg/identity"
	"ecr-cross-account-credential-provider/pkg/plan"
	"ecr-cross-account-credential-provider/pkg/registry"
	"ecr-cross-account-credential-provider/pkg/secret"
)

// node is this node's access to AWS. Both functions read files once, at the first
// call. Reading the SDK's configuration takes longer than a whole response from the
// cache.
type node struct {
	source  func() ([]string, error) // what selects the identity and the endpoints
	connect func(context.Context) (Minter, error)
	api     *awsapi.API // nil until connected
}

func (p *Provider) node() *node {
	n := &node{}
	n.source = sync.OnceValues(func() ([]string, error) {
		defer p.AWS.Trace.Step("sdk")()
		return awsapi.Source(p.AWS.Environ, p.AWS)
	})
	var once sync.Once
	var c Minter
	var err error
	n.connect = func(ctx context.Context) (Minter, error) {
		once.Do(func() {
			defer p.AWS.Trace.Step("sdk")()
			if n.api, err = awsapi.Load(ctx, p.AWS); err == nil {
				c = Minter{API: n.api, Node: identity.NewNode(n.api, p.Hostname), Random: p.AWS.Random}
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

// request returns the request to the cache for a registry's token.
func (n *node) request(d plan.Decision, registry string) (cache.Request, error) {
	source, err := n.source()
	if err != nil {
		return cache.Request{}, fmt.Errorf("no credentials for registry %s: %w", registry, err)
	}
	key, err := d.Plan.Key(source)
	// Other tokens need a pod's token, or nobody needs them.
	pods := d.Plan.ServiceAccount != nil || d.Entry.ServiceAccount != nil && !d.Entry.ServiceAccount.NodeWhenNoToken
	renewable := !pods && !d.Plan.API.Public
	return cache.Request{Key: key, Registry: registry, Identity: d.Plan.Identity(), Renewable: renewable}, err
}

// own returns the account of the node's identity. The cache keeps the account for a
// long time, because it changes only with the identity.
func (p *Provider) own(ctx context.Context, n *node) (registry.Account, error) {
	const fresh, life = 30 * 24 * time.Hour, 365 * 24 * time.Hour // long, so that it does not expire in an outage
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
		account, err := c.Node.Account(ctx)
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
	if o.Decision.Plan.API.Public {
		return c.mintPublic(ctx)
	}
	return c.Mint(ctx, Order{Registry: o.Registry, Entry: o.Decision.Entry.Name, Plan: o.Decision.Plan, Token: token})
}
