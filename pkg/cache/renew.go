package cache

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"ecr-cross-account-credential-provider/pkg/failure"
)

const (
	// renewAfter is the age at which a token is replaced. It allows at most 32
	// tokens a day.
	renewAfter = 45 * time.Minute
	// renewEvery is the longest time between two runs that renew tokens. A run also
	// replaces a token that would not stay fresh until the next run.
	renewEvery = 10 * time.Minute
)

// Renew replaces a token before it is needed, and reports whether it did. If there
// is no token, it mints one. As in Acquire, one process asks AWS at a time, and
// errors are remembered. Meanwhile, requests use the old token if it is fresh.
// Renewing does not count as use. ahead marks a token that follows from the
// configuration alone, without a pod.
//
// The error is Mint's own, a *RememberedError, or the context's.
func (s *Store) Renew(ctx context.Context, r Request, ahead bool, mint Mint) (i Info, renewed bool, err error) {
	a := &acquisition{Store: s, Request: r, mint: mint, start: s.now(), renewal: true}
	e, due, err := a.due(ahead)
	if !due {
		return e.info(a.start.wall), false, err
	}
	release, err := a.wait(ctx)
	if err != nil {
		return e.info(a.start.wall), false, err
	}
	defer release()
	if e, due, err = a.due(ahead); !due {
		return e.info(a.now().wall), false, err
	}
	minted, now, err := a.ask(ctx, e)
	if err != nil {
		e = a.renewalFailed(ctx, e, err)
		return e.info(a.now().wall), false, err
	}
	if err := a.keep(minted, now); err != nil {
		return e.info(now.wall), false, err
	}
	return minted.info(now.wall), true, nil
}

// due reads the entry and reports whether to replace its token now. It returns the
// entry's error if it is too early to ask AWS again.
func (a *acquisition) due(ahead bool) (entry, bool, error) {
	now := a.now()
	e, err := a.read(a.Key, now)
	if err != nil {
		a.warn("the cache's entry for %s is not used: %w", err)
	}
	a.Image = cmp.Or(a.Image, e.Image)
	e.Request, e.Ahead = a.Request, ahead
	switch {
	case e.Failure != nil && (!e.Learned.Before(a.start.on(now)) || now.wall.Before(e.askAgain())):
		return e, false, e.remembered(now.wall)
	case e.valid(now.wall) && now.wall.Before(e.renewAt()):
		return e, false, nil
	}
	return e, true, nil
}

// renewAt returns the time at which the token is replaced although it is still
// fresh.
func (e entry) renewAt() time.Time { return e.Minted.Add(RenewAt(e.Token.Fresh)) }

// RenewAt returns the age at which a token is replaced. It depends on how long the
// token is fresh.
func RenewAt(fresh time.Duration) time.Duration { return min(renewAfter, fresh-renewEvery) }

// keep writes the entry of a new token. Without it, the renewal was in vain.
func (a *acquisition) keep(e entry, now instant) error {
	if !e.keepable(now.wall) {
		return fmt.Errorf("the cache does not keep the new token for registry %s: by this node's clock it is no longer valid; check the clock", a.Registry)
	}
	if err := a.record(e, now); err != nil {
		return fmt.Errorf("the cache does not keep the new token for registry %s: %w", a.Registry, err)
	}
	return nil
}

// renewalFailed writes the entry after an error of AWS, and returns it. If another
// process wrote an outcome meanwhile, only a refusal overrides it.
func (a *acquisition) renewalFailed(ctx context.Context, before entry, err error) entry {
	class, _ := failure.Of(err)
	if errors.Is(ctx.Err(), context.Canceled) || class == failure.CallersToken {
		return before
	}
	now := a.now()
	e, _ := a.read(a.Key, now)
	e.Request, e.Ahead = a.Request, before.Ahead
	if e.Learned.After(before.Learned) && class != failure.Refused {
		return e
	}
	e = e.after(class, err, a.o.Random(), now.wall)
	_ = a.record(e, now) // AWS's error is the one to report
	return e
}
