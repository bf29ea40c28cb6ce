package provider

import (
	"context"
	"errors"
	"fmt"

	"ecr-cross-account-credential-provider/pkg/awsapi"
	"ecr-cross-account-credential-provider/pkg/cache"
	"ecr-cross-account-credential-provider/pkg/config"
	"ecr-cross-account-credential-provider/pkg/ecr"
	"ecr-cross-account-credential-provider/pkg/identity"
	"ecr-cross-account-credential-provider/pkg/record"
	"ecr-cross-account-credential-provider/pkg/registry"
)

// connection is AWS as seen from the node: how to reach it, and as whom.
type connection struct {
	api       *awsapi.API
	node      *identity.Node
	stsRegion config.STSRegion
	random    func() float64
}

// connect reads what the node knows of AWS. It asks nothing of the network, but
// takes its time: a warm answer does without.
func (p *Provider) connect(ctx context.Context) (connection, error) {
	defer record.Step(ctx, "sdk")()
	api, err := awsapi.Load(ctx, p.AWS)
	if err != nil {
		return connection{}, err
	}
	return connection{api, identity.NewNode(api, p.Hostname), p.Config.STSRegion, p.AWS.Random}, nil
}

// mint goes a way to its end: a token, how long it is good for, and what is to be
// said about it.
func (c connection) mint(ctx context.Context, w way) (cache.Token, error) {
	c.api.PreopenECR(ctx, w.registry)
	session, refusal, err := c.session(ctx, w)
	if err != nil {
		return cache.Token{}, err
	}
	token, err := ecr.Authorize(ctx, c.api, w.registry, session)
	if err != nil && refusal != nil {
		return cache.Token{}, fmt.Errorf("%w; and before that, %w", err, refusal)
	}
	if err != nil {
		return cache.Token{}, err
	}
	minted := kept(c.api.Now(), token, session, c.random())
	if refusal != nil {
		minted.Note = refusal.Error()
		minted.Fresh = min(minted.Fresh, shorten(maxFallback, c.random()))
		minted.Life = minted.Fresh
	}
	return minted, nil
}

// mintPublic is the token for ECR Public, which the node asks for as itself; its
// API is in partition aws alone.
func (c connection) mintPublic(ctx context.Context) (cache.Token, error) {
	if region := c.node.Region(ctx); !region.IsZero() && region.Partition() != registry.AWS {
		return cache.Token{}, fmt.Errorf("partition %s has no ECR Public", region.Partition())
	}
	session, err := c.node.Session(ctx)
	if err != nil {
		return cache.Token{}, err
	}
	token, err := ecr.AuthorizePublic(ctx, c.api, session)
	if err != nil {
		return cache.Token{}, err
	}
	return kept(c.api.Now(), token, session, c.random()), nil
}

// session is the credentials at the end of a way. Where STS denies a role and the
// entry wants that, it is the node's own, and refusal is the denial.
func (c connection) session(ctx context.Context, w way) (session identity.Session, refusal, err error) {
	if w.source == nil && (w.direct || len(w.entry.Roles) == 0) {
		session, err := c.nodeSession(ctx, w.registry)
		return session, nil, err
	}
	session, err = c.walk(ctx, w)
	var refused identity.RefusedError
	if !w.entry.NodeWhenRefused || !errors.As(err, &refused) {
		return session, nil, err
	}
	own, err := c.nodeSession(ctx, w.registry)
	if err != nil {
		return identity.Session{}, nil, fmt.Errorf("%w; and before that, %w", err, refused)
	}
	return own, fmt.Errorf("%w; using %s instead, as whenRefused of %s says", refused, own, w.entry.Name), nil
}

func (c connection) nodeSession(ctx context.Context, reg registry.Registry) (identity.Session, error) {
	session, err := c.node.Session(ctx)
	if err != nil {
		return identity.Session{}, fmt.Errorf("no credentials for registry %s: %w", reg, err)
	}
	return session, nil
}

// walk goes from the start by the entry's roles.
func (c connection) walk(ctx context.Context, w way) (identity.Session, error) {
	var start identity.Session
	var err error
	if w.source == nil { // first, as nothing else matters without it
		if start, err = c.nodeSession(ctx, w.registry); err != nil {
			return identity.Session{}, err
		}
	}
	region, err := c.region(ctx, w.registry)
	if err != nil {
		return identity.Session{}, fmt.Errorf("assuming the roles of %s for registry %s: %w", w.entry.Name, w.registry, err)
	}
	roles, err := w.roles(func() string { return c.node.Name(ctx) })
	if err != nil {
		return identity.Session{}, err
	}
	chain := identity.Chain{API: c.api, Registry: w.registry, Region: region, Roles: roles}
	if w.source != nil {
		if start, err = chain.WebIdentity(ctx, w.source.role, w.source.token, w.source.claims); err != nil {
			return identity.Session{}, err
		}
	}
	return chain.Walk(ctx, start)
}

// region is where roles are assumed: in the node's region, which it can reach,
// unless the configuration says otherwise or nobody knows it. For a FIPS host it
// must have FIPS endpoints; the registry's may have them where the node's has not.
func (c connection) region(ctx context.Context, reg registry.Registry) (registry.Region, error) {
	region := reg.Region()
	switch {
	case c.stsRegion.OfRegistry:
	case !c.stsRegion.Fixed.IsZero():
		region = c.stsRegion.Fixed
	default:
		if r := c.node.Region(ctx); !r.IsZero() {
			region = r
		}
		if reg.FIPS() && !c.api.STSHasFIPS(region) && region.Partition() == reg.Partition() {
			region = reg.Region()
		}
	}
	switch {
	case region.Partition() != reg.Partition():
		return region, fmt.Errorf("STS would be asked in %s of partition %s, and the registry is in %s; roles are assumed within one partition only",
			region, region.Partition(), reg.Partition())
	case reg.FIPS() && !c.api.STSHasFIPS(region):
		return region, fmt.Errorf("the registry's host asks for FIPS endpoints, and STS has none in %s; name one in endpoints.sts, set sts.region to one of us-east-1, us-east-2, us-west-1, us-west-2, or use the host without -fips", region)
	}
	return region, nil
}
