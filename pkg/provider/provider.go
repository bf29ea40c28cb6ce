// Package provider is the whole way from an image to an answer: registry, rule,
// credentials, token.
package provider

import (
	"context"
	"fmt"
	"sync"
	"time"

	"ecr-cross-account-credential-provider/pkg/awsapi"
	"ecr-cross-account-credential-provider/pkg/cache"
	"ecr-cross-account-credential-provider/pkg/config"
	"ecr-cross-account-credential-provider/pkg/kubelet"
	"ecr-cross-account-credential-provider/pkg/record"
	"ecr-cross-account-credential-provider/pkg/registry"
	"ecr-cross-account-credential-provider/pkg/rule"
)

// Provider answers for images. All its fields but Cache must be set.
type Provider struct {
	Config config.Config
	AWS    awsapi.Options
	// Cache is shared by all processes of the node; nil is none.
	Cache *cache.Store
	// Environment is the process's, NAME=VALUE. What selects the node's identity
	// selects its tokens in the cache.
	Environment []string
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

// Answer finds credentials for a request's image. An image that is in no ECR
// registry, or in one that the configuration leaves to others, has an empty
// answer and causes no call to AWS. What happens is noted in the context's record.
func (p *Provider) Answer(ctx context.Context, request kubelet.Request) (kubelet.Answer, error) {
	r := record.Of(ctx)
	r.Set(record.Image, request.Image())
	image, ok := registry.Parse(request.Image())
	if !ok {
		return kubelet.Empty(kubelet.ForRegistry, noneDue), nil
	}
	r.Set(record.Registry, image.Registry().String())
	if image.Registry().Public() {
		return p.public(ctx, image), nil
	}
	answer, err := p.private(ctx, image, request.ServiceAccount())
	if err != nil {
		noteError(ctx, err)
	}
	return answer, err
}

// private answers for a private registry.
func (p *Provider) private(ctx context.Context, image registry.Image, pod kubelet.ServiceAccount) (kubelet.Answer, error) {
	connect := sync.OnceValues(func() (connection, error) { return p.connect(ctx) })
	decision, err := p.decide(ctx, connect, image)
	if err != nil {
		return kubelet.Answer{}, err
	}
	if decision.Entry == nil {
		record.Of(ctx).Set(record.Rule, leftToOthers)
		return kubelet.Empty(scope(decision), noneDue), nil
	}
	record.Of(ctx).Set(record.Rule, decision.Entry.Name)
	way, err := p.wayTo(image.Registry(), decision.Entry, pod)
	if err != nil {
		return kubelet.Answer{}, fmt.Errorf("no credentials for registry %s (%s): %w", image.Registry(), decision.Entry.Name, err)
	}
	if way.source != nil {
		record.Of(ctx).Set(record.ServiceAccount, way.source.claims.Name())
	}
	token, err := p.token(ctx, image.Registry().Host(), way.request(p), func(ctx context.Context) (cache.Token, error) {
		aws, err := connect()
		if err != nil {
			return cache.Token{}, fmt.Errorf("no credentials for registry %s: %w", image.Registry(), err)
		}
		return aws.mint(ctx, way)
	})
	if err != nil {
		return kubelet.Answer{}, err
	}
	return p.answer(image, decision, token), nil
}

// decide finds the entry that governs an image; none leaves it to others.
func (p *Provider) decide(ctx context.Context, connect func() (connection, error), image registry.Image) (rule.Decision, error) {
	var own registry.Account
	if p.Config.Rules.DependsOnOwn(image) {
		var err error
		if own, err = p.own(ctx, connect); err != nil {
			return rule.Decision{}, fmt.Errorf("choosing the entry for registry %s: %w", image.Registry(), err)
		}
	}
	decision := p.Config.Rules.Match(image, own)
	if decision.Entry == nil && !p.Config.UnmatchedNone {
		decision.Entry = &p.Config.Unmatched
	}
	return decision, nil
}

// own is the node's own account, which does not change.
func (p *Provider) own(ctx context.Context, connect func() (connection, error)) (registry.Account, error) {
	defer record.Step(ctx, "account")()
	const asLongAsTheNode = 30 * 24 * time.Hour
	key := cache.NewKey(append([]string{"own account"}, p.source()...)...)
	if id, ok := p.Cache.Fact(key); ok {
		if account, err := registry.ParseAccount(id); err == nil {
			return account, nil
		}
	}
	aws, err := connect()
	if err != nil {
		return registry.Account{}, err
	}
	account, err := aws.node.Account(ctx)
	if err == nil {
		p.Cache.SetFact(key, account.String(), asLongAsTheNode)
	}
	return account, err
}

// public answers for ECR Public, which no entry is about. Any trouble is met with
// an empty answer, as an anonymous pull works.
func (p *Provider) public(ctx context.Context, image registry.Image) kubelet.Answer {
	r := record.Of(ctx)
	if p.Config.UnmatchedNone {
		r.Set(record.Rule, leftToOthers)
		return kubelet.Empty(kubelet.ForRegistry, noneDue)
	}
	r.Set(record.Rule, ecrPublic)
	ctx, cancel := context.WithTimeout(ctx, p.AWS.Timeouts.Public)
	defer cancel()
	token, err := p.token(ctx, image.Registry().Host(), p.publicRequest(image.Registry()), func(ctx context.Context) (cache.Token, error) {
		aws, err := p.connect(ctx)
		if err != nil {
			return cache.Token{}, err
		}
		return aws.mintPublic(ctx)
	})
	if err != nil {
		r.AddNote("an anonymous pull has to do: " + err.Error())
		return kubelet.Empty(kubelet.ForRegistry, doesWithout)
	}
	return p.answer(image, rule.Decision{}, token)
}
