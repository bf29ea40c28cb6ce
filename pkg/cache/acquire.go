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
	// refreshWithin limits the time that a request spends on a new token while the
	// cache has a valid one. The time includes waiting for the lock and asking AWS.
	refreshWithin = 3 * time.Second
	// patience is how long a request without a deadline waits for another process.
	// A request with a deadline waits for half of the time that is left.
	patience = 10 * time.Second
	// If the time of last use is older than useAgain, a use updates it.
	useAgain = 5 * time.Minute
)

// Acquire returns a fresh token from the cache if there is one, else a new token.
// After an error of AWS, it returns a stale token if there is one, unless the error is
// a refusal or concerns the pod's service account token.
// If several processes need the same token at the same time, one of them asks AWS.
// The others share its outcome, good or bad. A process that has waited for half of
// its time asks AWS itself.
//
// The error is Mint's own, a *RememberedError, or the context's.
func (s *Store) Acquire(ctx context.Context, r Request, mint Mint) (Lease, error) {
	if s == nil {
		token, err := mint(ctx)
		if err != nil {
			return Lease{}, err
		}
		e := minted(r, token, time.Time{})
		return e.lease(Minted, e.Minted, e.freshUntil()), nil
	}
	a := &acquisition{Store: s, Request: r, mint: mint, start: s.now()}
	e, d, err := a.look()
	if err != nil {
		a.warn("the cache's entry for %s is not used: %w", err)
	}
	if d != ask {
		return a.settle(e, d)
	}
	if e.valid(a.start.wall) {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, refreshWithin)
		defer cancel()
	}
	release, err := a.wait(ctx)
	if err != nil {
		return Lease{}, err
	}
	defer release()
	if e, d, _ = a.look(); d != ask {
		return a.settle(e, d)
	}
	e, now, err := a.ask(ctx, e)
	if err != nil {
		return a.failed(ctx, err)
	}
	if e.keepable(now.wall) {
		_ = a.record(e, now) // this request has its token anyway
	}
	return e.lease(Minted, now.wall, e.freshUntil()), nil
}

// acquisition is one call of Acquire or Renew.
type acquisition struct {
	*Store
	Request
	mint  Mint
	start instant
	// renewal marks an acquisition that no request waits for.
	renewal bool
}

// warn reports a problem of the cache. The request goes on.
func (a *acquisition) warn(format string, err error) {
	a.o.Warn(fmt.Errorf(format, cmp.Or(a.Registry, a.Identity), err).Error())
}

// look reads the entry and decides what to do with it.
func (a *acquisition) look() (entry, decision, error) {
	now := a.now()
	e, err := a.read(a.Key, now)
	e.Request = a.Request
	d := e.decide(now.wall, a.start.on(now))
	if (d == serve || d == stale) && now.wall.Sub(e.Used).Abs() > useAgain {
		_ = a.root.Chtimes(a.Key.String(), now.wall, now.wall) // if this fails, the entry only looks less used
	}
	return e, d, err
}

// settle returns the outcome of a decision other than ask.
func (a *acquisition) settle(e entry, d decision) (Lease, error) {
	now := a.now().wall
	switch d {
	case serve:
		return e.lease(Fresh, now, e.freshUntil()), nil
	case stale:
		return e.serveStale(now, e.remembered(now)), nil
	}
	return Lease{}, e.remembered(now)
}

// wait takes the key's lock. If locking fails, or after half of the time that is
// left, the request goes on without the lock.
func (a *acquisition) wait(ctx context.Context) (release func(), err error) {
	limit := patience
	if end, ok := ctx.Deadline(); ok {
		limit = time.Until(end) / 2 //nolint:forbidigo // a context's deadline is by the process's own clock
	}
	waiting, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	release, err = a.lock(waiting, a.Key)
	switch {
	case err == nil:
		return release, nil
	case errors.Is(ctx.Err(), context.Canceled):
		return nil, fmt.Errorf("waiting for another process of this node to ask AWS for %s: %w", cmp.Or(a.Registry, a.Identity), ctx.Err())
	case waiting.Err() == nil:
		a.warn("asking for %s without the cache's lock: %w", err)
	}
	return func() {}, nil
}

// ask asks AWS, and returns the entry of the new token and the time. The life of a new
// token counts from before the request, so it is not too long even if this process was
// stopped during the request.
func (a *acquisition) ask(ctx context.Context, before entry) (entry, instant, error) {
	begin := a.now()
	token, err := a.mint(ctx)
	if err != nil {
		return entry{}, instant{}, err
	}
	now := a.now()
	e := minted(a.Request, token, begin.on(now))
	e.Learned, e.Used, e.Requested, e.Ahead = now.wall, before.Used, before.Requested, before.Ahead
	if !a.renewal {
		e.Requested = now.wall
	}
	return e, now, nil
}

// failed returns the outcome after an error of AWS. The cache does not remember the
// error of a cancelled request or of the pod's service account token, because such an
// error says nothing about AWS.
func (a *acquisition) failed(ctx context.Context, err error) (Lease, error) {
	class, _ := failure.Of(err)
	if errors.Is(ctx.Err(), context.Canceled) || class == failure.CallersToken {
		return Lease{}, err
	}
	// Another process may have written an outcome meanwhile. Only a refusal
	// overrides that outcome.
	e, d, _ := a.look()
	if d != ask && (class != failure.Refused || e.refused()) {
		return a.settle(e, d)
	}
	now := a.now()
	e = e.after(class, err, a.o.Random(), now.wall)
	_ = a.record(e, now) // AWS's error is the one to report
	if e.valid(now.wall) {
		return e.serveStale(now.wall, err), nil
	}
	return Lease{}, err
}

// record writes an entry, and warns if it cannot. If a refusal cannot be written,
// record removes the entry, so that no older token is used.
func (a *acquisition) record(e entry, now instant) error {
	err := a.write(e, now)
	if err != nil {
		a.warn("the cache's entry for %s is not written: %w", err)
		if e.refused() {
			_ = a.root.RemoveAll(a.Key.String())
		}
	}
	return err
}
