package provider

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"ecr-cross-account-credential-provider/pkg/awsapi"
	"ecr-cross-account-credential-provider/pkg/cache"
	"ecr-cross-account-credential-provider/pkg/record"
)

// Rules of a record that are no entry of the configuration.
const (
	leftToOthers = "unmatched: None"
	ecrPublic    = "ECR Public"
)

// token gets a token by the cache, and notes where it is from. The step "cache"
// is what the cache takes: disk, and waiting for another process, but not asking.
func (p *Provider) token(ctx context.Context, registry string, request cache.Request, mint cache.Mint) (cache.Answer, error) {
	r := record.Of(ctx)
	r.Set(record.Identity, request.Identity)
	end := r.Step("cache")
	token, err := p.Cache.Do(ctx, request, func(ctx context.Context) (cache.Token, error) {
		end()
		defer func() { end = r.Step("cache") }()
		return mint(ctx)
	})
	end()
	if err == nil {
		r.Set(record.Source, token.Source.String())
	}
	return token, named(err, registry)
}

// named adds the registry to a remembered error, which may be one of another
// registry that the same token would be for.
func named(err error, registry string) error {
	var remembered *cache.RememberedError
	if errors.As(err, &remembered) && !strings.Contains(err.Error(), registry) {
		return fmt.Errorf("no credentials for registry %s: %w", registry, err)
	}
	return err
}

// noteError notes why there is no answer: as AWS says just now, or as the cache
// remembers, which tells a refusal but not its class.
func noteError(ctx context.Context, err error) {
	r := record.Of(ctx)
	verdict := Verdict(err)
	var remembered *cache.RememberedError
	if class, ok := awsapi.ClassOf(err); ok {
		r.Set(record.ErrorClass, class.String())
	} else if errors.As(err, &remembered) {
		verdict = remembered.Verdict
	}
	if verdict == cache.Remember {
		r.Set(record.Source, record.Refused)
	}
}
