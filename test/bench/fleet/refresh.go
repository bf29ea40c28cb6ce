package main

import (
	"fmt"
	"io"
	"time"

	"ecr-cross-account-credential-provider/pkg/cache"
)

// These are the times of the timer of config-examples/systemd. Its first run is after
// boot. Then it runs every 5 to 10 minutes.
const (
	firstRun  = 5 * time.Second
	runEvery  = 5 * time.Minute
	runJitter = 290 * time.Second
)

// refresh is a run of the timer. It replaces each token in time (cache.RenewAt). A pull
// that has a fresh token does not wait for the run. Any other pull that needs the same
// token waits, and shares the outcome.
func (s *simulation) refresh(of *[registries]*registry) {
	for _, r := range of {
		if due := r.minted + cache.RenewAt(r.kept-r.minted); s.now < due || s.now < r.failed || r.asking {
			continue
		}
		r.asking = true
		s.ask(r, func(ok bool) { s.renewed(r, ok) })
	}
	s.after(runEvery+s.upTo(runJitter), func() { s.refresh(of) })
}

// renewed passes the outcome of a run for one token to the pulls that wait for it.
func (s *simulation) renewed(r *registry, ok bool) {
	if ok {
		r.kept, r.minted = s.now+s.policy.keep(s.chance.Float64()), s.now
		s.minted++
		s.arm(r)
	} else {
		r.failed = s.now + s.policy.failure(s.chance.Float64())
	}
	waiting := r.waiting
	r.asking, r.waiting = false, nil
	for _, i := range waiting {
		if ok {
			s.pulled(i)
		} else {
			s.failed(i)
		}
	}
}

// room is a safety factor for the boot time, because nodes boot at random times, not
// evenly.
const room = 1.2

// advice returns the time over which the boot of a fleet should be spread.
func advice(nodes int, q quotas) time.Duration {
	calls := float64(nodes)
	return time.Duration(room * max(calls*registries/q.sts, calls/q.ecr) * float64(time.Second))
}

// advise prints the boot time or the quotas that the fleet would need, if AWS throttled
// its boot.
func (r result) advise(w io.Writer, q quotas) {
	if r.refused == 0 || r.policy == naive().name {
		return
	}
	calls := float64(r.nodes) / r.spread.Seconds()
	fmt.Fprintf(w, "\n%d nodes that boot within %s, %s: throttled. Spread the boot over %.0f s, or ask AWS for %.0f calls of AssumeRole and %.0f of GetAuthorizationToken a second.\n\n",
		r.nodes, r.spread, r.policy, advice(r.nodes, q).Seconds(), room*registries*calls, room*calls)
}
