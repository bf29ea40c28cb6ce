// Package aws starts the rounds of calls in which tokens are minted.
package aws

import (
	"context"

	"ecr-cross-account-credential-provider/cmd/ecr-pull-secrets/internal/target"
	"ecr-cross-account-credential-provider/cmd/ecr-pull-secrets/internal/token"
	"ecr-cross-account-credential-provider/pkg/awsapi"
	"ecr-cross-account-credential-provider/pkg/cache"
	"ecr-cross-account-credential-provider/pkg/identity"
	"ecr-cross-account-credential-provider/pkg/provider"
	"ecr-cross-account-credential-provider/pkg/registry"
)

// Begin returns a function that starts a round. Each round reads the SDK's
// configuration and gets this program's credentials again. So it uses the current token
// file of IRSA. Each round also has its own budget of retries.
func Begin(o awsapi.Options, hostname string) func(context.Context) (token.Round, error) {
	return func(ctx context.Context) (token.Round, error) {
		api, err := awsapi.Load(ctx, o)
		if err != nil {
			return nil, err
		}
		return round{provider.Minter{API: api, Node: identity.NewNode(api, hostname), Random: o.Random}}, nil
	}
}

type round struct{ minter provider.Minter }

// Own returns the account of this program's identity.
func (r round) Own(ctx context.Context) (registry.Account, error) { return r.minter.Node.Account(ctx) }

// Mint gets a target's token.
func (r round) Mint(ctx context.Context, t target.Target) (cache.Token, error) {
	return r.minter.Mint(ctx, provider.Order{Registry: t.Host, Entry: t.Entry, Plan: t.Plan})
}
