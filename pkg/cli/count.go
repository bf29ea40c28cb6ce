package cli

import (
	"time"

	"ecr-cross-account-credential-provider/pkg/cache"
	"ecr-cross-account-credential-provider/pkg/counter"
	"ecr-cross-account-credential-provider/pkg/failure"
	"ecr-cross-account-credential-provider/pkg/provider"
)

// countWithin limits the time for counting, so that a disk that hangs does not
// block the kubelet.
const countWithin = time.Second

// count adds the request to the counters. It ignores its own errors. err is the request's.
func (c *call) count(err error) {
	c.mu.Lock()
	store, took := c.store, c.trace.Elapsed()
	c.mu.Unlock()
	if store == nil {
		return
	}
	within(countWithin, func() { _ = counter.Add(store.Root(), ending(c.soFar(), err), took) })
}

// within waits until f ends, but no longer than a limit.
func within(limit time.Duration, f func()) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		f()
	}()
	late := time.NewTimer(limit)
	defer late.Stop()
	select {
	case <-done:
	case <-late.C:
	}
}

// ending returns the outcome under which the metrics count a request.
func ending(o provider.Outcome, err error) counter.Outcome {
	class, _ := failure.Of(err)
	switch {
	case err != nil && class == failure.Refused:
		return counter.Refused
	case err != nil:
		return counter.Failed
	case o.Lease.Secret.IsZero():
		return counter.None
	case o.Lease.Outcome == cache.Fresh:
		return counter.Fresh
	case o.Lease.Outcome == cache.Stale:
		return counter.Stale
	}
	return counter.Minted
}
