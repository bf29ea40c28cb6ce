// Package provider is the whole way from an image to an answer: registry, rule,
// credentials, token.
package provider

import (
	"context"
	"errors"
	"fmt"
	"time"

	"ecr-cross-account-credential-provider/pkg/awsapi"
	"ecr-cross-account-credential-provider/pkg/config"
	"ecr-cross-account-credential-provider/pkg/ecr"
	"ecr-cross-account-credential-provider/pkg/identity"
	"ecr-cross-account-credential-provider/pkg/kubelet"
	"ecr-cross-account-credential-provider/pkg/registry"
	"ecr-cross-account-credential-provider/pkg/rule"
)

// Provider answers for images. All its fields must be set.
type Provider struct {
	Config config.Config
	AWS    awsapi.Options
	// Hostname names the node where it is no EC2 instance.
	Hostname string
	// Warn is told what people should know although an answer was given.
	Warn func(string)
}

// How long a kubelet keeps an answer without credentials: none are due, or an
// anonymous pull will do for now.
const (
	noneDue     = time.Hour
	doesWithout = 5 * time.Minute
)

// Answer finds credentials for an image. An image that is in no ECR registry,
// or in one that the configuration leaves to others, has an empty answer and
// causes no call to AWS.
func (p *Provider) Answer(ctx context.Context, name string) (kubelet.Answer, error) {
	image, ok := registry.Parse(name)
	if !ok || image.Registry().Public() && p.Config.UnmatchedNone {
		return kubelet.Empty(kubelet.ForRegistry, noneDue), nil
	}
	api, err := awsapi.Load(ctx, p.AWS)
	if err != nil {
		return kubelet.Answer{}, fmt.Errorf("no credentials for image %s: %w", image, err)
	}
	node := identity.NewNode(api, p.Hostname)
	if image.Registry().Public() {
		return p.public(ctx, api, node, image), nil
	}
	decision, err := p.decide(ctx, node, image)
	if err != nil {
		return kubelet.Answer{}, err
	}
	if decision.Entry == nil && p.Config.UnmatchedNone {
		return kubelet.Empty(scope(decision), noneDue), nil
	}
	session, refusal, err := p.session(ctx, api, node, image.Registry(), decision)
	if err != nil {
		return kubelet.Answer{}, err
	}
	token, err := ecr.Authorize(ctx, api, image.Registry(), session)
	switch {
	case err != nil && refusal != nil:
		return kubelet.Answer{}, fmt.Errorf("%w; and before that, %w", err, refusal)
	case err != nil:
		return kubelet.Answer{}, err
	case refusal != nil:
		p.Warn(refusal.Error())
	}
	return p.answer(api.Now(), image, decision, token, session, refusal != nil), nil
}

// decide finds the entry that governs an image.
func (p *Provider) decide(ctx context.Context, node *identity.Node, image registry.Image) (rule.Decision, error) {
	var own registry.Account
	if p.Config.Rules.DependsOnOwn(image) {
		var err error
		if own, err = node.Account(ctx); err != nil {
			return rule.Decision{}, fmt.Errorf("choosing the entry for registry %s: %w", image.Registry(), err)
		}
	}
	return p.Config.Rules.Match(image, own), nil
}

// session is the credentials that the decision leads to. Where STS denies a role
// and the entry wants that, it is the node's own, and refusal is the denial.
func (p *Provider) session(ctx context.Context, api *awsapi.API, node *identity.Node, reg registry.Registry, decision rule.Decision) (
	session identity.Session, refusal, err error,
) {
	own, err := node.Session(ctx)
	if err != nil {
		return identity.Session{}, nil, fmt.Errorf("no credentials for registry %s: %w", reg, err)
	}
	if decision.Entry == nil || len(decision.Entry.Roles) == 0 {
		return own, nil, nil
	}
	chain, err := p.chain(ctx, api, node, reg, decision.Entry)
	if err != nil {
		return identity.Session{}, nil, err
	}
	session, err = chain.Walk(ctx, own)
	var refused identity.RefusedError
	if decision.Entry.NodeWhenRefused && errors.As(err, &refused) {
		return own, fmt.Errorf("%w; using %s instead, as whenRefused of %s says", refused, own, decision.Entry.Name), nil
	}
	return session, nil, err
}

// chain is the entry's roles, resolved for a registry.
func (p *Provider) chain(ctx context.Context, api *awsapi.API, node *identity.Node, reg registry.Registry, entry *rule.Entry) (identity.Chain, error) {
	chain := identity.Chain{API: api, Registry: reg, Region: p.stsRegion(ctx, node, reg).String()}
	for _, template := range entry.Roles {
		role, err := template.For(reg, func() string { return node.Name(ctx) })
		if err != nil {
			return identity.Chain{}, fmt.Errorf("assuming the roles of %s for registry %s: %w", entry.Name, reg, err)
		}
		chain.Roles = append(chain.Roles, role)
	}
	return chain, nil
}

// stsRegion is where roles are assumed: in the node's region, which it can
// reach, unless the configuration says otherwise or nobody knows it.
func (p *Provider) stsRegion(ctx context.Context, node *identity.Node, reg registry.Registry) registry.Region {
	switch where := p.Config.STSRegion; {
	case where.OfRegistry:
		return reg.Region()
	case !where.Fixed.IsZero():
		return where.Fixed
	}
	if region := node.Region(ctx); !region.IsZero() {
		return region
	}
	return reg.Region()
}

// public answers for ECR Public. Any trouble is met with an empty answer, as an
// anonymous pull works; its API is in partition aws alone.
func (p *Provider) public(ctx context.Context, api *awsapi.API, node *identity.Node, image registry.Image) kubelet.Answer {
	ctx, cancel := context.WithTimeout(ctx, p.AWS.Timeouts.Public)
	defer cancel()
	if region := node.Region(ctx); !region.IsZero() && region.Partition() != registry.AWS {
		return kubelet.Empty(kubelet.ForRegistry, doesWithout)
	}
	session, err := node.Session(ctx)
	if err != nil {
		return kubelet.Empty(kubelet.ForRegistry, doesWithout)
	}
	token, err := ecr.AuthorizePublic(ctx, api, session)
	if err != nil {
		return kubelet.Empty(kubelet.ForRegistry, doesWithout)
	}
	return p.answer(api.Now(), image, rule.Decision{}, token, session, false)
}
