// Package provider is the whole flow from a request to a response: registry, rule,
// plan, cache, credentials, token.
package provider

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"ecr-cross-account-credential-provider/pkg/awsapi"
	"ecr-cross-account-credential-provider/pkg/cache"
	"ecr-cross-account-credential-provider/pkg/config"
	"ecr-cross-account-credential-provider/pkg/kubelet"
	"ecr-cross-account-credential-provider/pkg/plan"
	"ecr-cross-account-credential-provider/pkg/registry"
)

// Provider serves requests. All its fields except Cache are required. Refresh does
// not need Decided.
type Provider struct {
	Config config.Config
	AWS    awsapi.Options
	// Cache is shared by all processes of the node. Nil means no cache.
	Cache *cache.Store
	// Hostname names the node if it is not an EC2 instance.
	Hostname string
	// Decided is called as soon as the plan is known, with the outcome so far. The log
	// of a request that never ends needs it.
	Decided func(Outcome)
}

// The times for which a kubelet keeps a response without credentials.
const (
	noneNeeded = time.Hour       // the plugin does not serve the image
	anonymous  = 5 * time.Minute // an anonymous pull works meanwhile
)

// Serve finds the credentials for a request's image. Some images get an empty response:
// those that are not in ECR and have no mirror there, and those that the configuration
// leaves to others.
func (p *Provider) Serve(ctx context.Context, request kubelet.Request) Outcome {
	o := Outcome{Image: request.Image()}
	image, err := p.Config.Image(request.Image())
	if err != nil { // the error says why the image is not in ECR
		o.Response = kubelet.Empty(plan.ScopeNotECR(p.Config, request.Image()), noneNeeded)
		return o
	}
	o.Registry = image.Registry().Host()
	aws := p.node()
	if o.Decision, o.Err = p.decide(ctx, aws, image, request.ServiceAccount()); o.Err != nil {
		return o
	}
	if o.Decision.Warning != "" {
		o.Notes = append(o.Notes, o.Decision.Warning)
	}
	p.Decided(o)
	if o.Decision.Entry == nil {
		o.Response = kubelet.Empty(o.Decision.Scope(), noneNeeded)
		return o
	}
	o.Lease, o.Err = p.lease(ctx, aws, o, image, request.ServiceAccount())
	o.Skew = aws.skew()
	return respond(o, image)
}

// decide computes the plan. It looks up the node's own account only if that
// matters.
func (p *Provider) decide(ctx context.Context, aws *node, image registry.Image, pod kubelet.ServiceAccount) (plan.Decision, error) {
	var own registry.Account
	if p.Config.Rules.DependsOnOwn(image) && !image.Registry().Public() {
		var err error
		if own, err = p.own(ctx, aws); err != nil {
			return plan.Decision{}, fmt.Errorf("choosing the entry for registry %s: %w", image.Registry(), err)
		}
	}
	return plan.Decide(p.Config, image, own, &pod)
}

// lease gets the plan's token from the cache, or from AWS.
func (p *Provider) lease(ctx context.Context, aws *node, o Outcome, image registry.Image, pod kubelet.ServiceAccount) (cache.Lease, error) {
	if o.Decision.Plan.API.Public {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, p.AWS.Timeouts.Public)
		defer cancel()
	}
	request, err := aws.request(o.Decision, o.Registry)
	if err != nil {
		return cache.Lease{}, err
	}
	request.Image = image.String()
	end := p.AWS.Trace.Step("cache") // includes waiting for another process, but not minting
	lease, err := p.Cache.Acquire(ctx, request, func(ctx context.Context) (cache.Token, error) {
		end()
		defer func() { end = p.AWS.Trace.Step("cache") }()
		return aws.mint(ctx, o, pod.Token)
	})
	end()
	return lease, named(err, o.Registry)
}

// named adds the registry to a remembered error, which may be about another
// registry with the same plan.
func named(err error, registry string) error {
	var remembered *cache.RememberedError
	if errors.As(err, &remembered) && !strings.Contains(err.Error(), registry) {
		return fmt.Errorf("no credentials for registry %s: %w", registry, err)
	}
	return err
}

// respond makes the response. A request for ECR Public never fails, because an
// anonymous pull works.
func respond(o Outcome, image registry.Image) Outcome {
	switch {
	case o.Err != nil && o.Decision.Plan.API.Public:
		o.Response, o.Anonymous, o.Err = kubelet.Empty(o.Decision.Scope(), anonymous), o.Err, nil
	case o.Err == nil:
		if note := noteOf(o); note != "" {
			o.Notes = append(o.Notes, note)
		}
		username, password := o.Lease.Secret.Cut(":")
		o.Response = kubelet.Response{
			Scope:         o.Decision.Scope(),
			CacheDuration: o.Lease.Keep.Truncate(time.Second),
			AuthKey:       o.Decision.AuthKey(image),
			Username:      username,
			Password:      password,
		}
	}
	return o
}

// noteOf returns the warning for operators about the token. The token may come from
// a request for another registry with the same plan. So the note names this
// request's registry and entry.
func noteOf(o Outcome) string {
	if o.Lease.Note == "" || o.Lease.Identity == o.Decision.Plan.Identity() {
		return o.Lease.Note
	}
	return fmt.Sprintf("%s; using the node's identity for registry %s instead, as whenRefused of %s says", o.Lease.Note, o.Registry, o.Decision.Entry.Name)
}
