package provider

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"ecr-cross-account-credential-provider/pkg/awsapi"
	"ecr-cross-account-credential-provider/pkg/cache"
	"ecr-cross-account-credential-provider/pkg/secret"
)

// Refreshed is the result for one plan, or the reason why there is no plan.
type Refreshed struct {
	// Registry is the registry's host, or the name of an entry without a plan.
	Registry string
	// Token describes the token in the cache. It is empty if there is none.
	Token cache.Info
	// Minted is true if the token is new.
	Minted bool
	// Skipped says why refresh leaves the token to the kubelet's requests. Err says
	// why there is no new token.
	Skipped string
	Err     error
}

// atOnce limits the number of plans that are executed at the same time. A kubelet's requests
// have priority in using AWS and the processor.
const atOnce = 2

// Refresh puts the tokens that the node will need into the cache. These are the tokens
// of the plans that are known in advance, and those that requests have used within a
// day. It replaces a token only when its age reaches cache.RenewAt.
func (p *Provider) Refresh(ctx context.Context) ([]Refreshed, error) {
	a := &agenda{Provider: p, aws: p.node(), planned: map[cache.Key]bool{}}
	if err := a.write(ctx); err != nil {
		return nil, err
	}
	var wait sync.WaitGroup
	turn := make(chan struct{}, atOnce)
	for i := range a.tasks {
		wait.Go(func() {
			turn <- struct{}{}
			defer func() { <-turn }()
			p.renew(ctx, a.aws, &a.tasks[i])
		})
	}
	wait.Wait()
	done := a.others
	for _, t := range a.tasks {
		done = append(done, t.Refreshed)
	}
	return done, nil
}

// renew renews the token of one task, within the deadline of a request.
func (p *Provider) renew(ctx context.Context, aws *node, t *task) {
	ctx, cancel := context.WithTimeout(awsapi.WithBudget(ctx), p.Config.Deadline)
	defer cancel()
	o := Outcome{Registry: t.Registry, Decision: t.decision}
	t.Token, t.Minted, t.Err = p.Cache.Renew(ctx, t.request, t.ahead, func(ctx context.Context) (cache.Token, error) {
		return aws.mint(ctx, o, secret.Text{})
	})
	t.Err = named(t.Err, t.Registry)
	if t.Err != nil && errors.Is(ctx.Err(), context.DeadlineExceeded) {
		t.Err = fmt.Errorf("%w; given up after %s", t.Err, p.Config.Deadline)
	}
}
