package main

import (
	"fmt"
	"io"
	"time"

	"ecr-cross-account-credential-provider/pkg/cache"
)

// The timer of config-examples/systemd: a first run after boot, then one every 5 to 10
// minutes.
const (
	firstRun  = 5 * time.Second
	runEvery  = 5 * time.Minute
	runJitter = 290 * time.Second
)

// refresh is a run of the timer. It replaces tokens that are due, and pods do not wait
// for it: a process that needs the same token meanwhile shares the outcome.
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

// renewed is the outcome of a run for one token, which those that wait share.
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

// room is how much longer than the quotas call for a boot should take: nodes come by
// chance, not evenly.
const room = 1.2

// advice is the time within which a fleet should boot.
func advice(nodes int, q quotas) time.Duration {
	calls := float64(nodes)
	return time.Duration(room * max(calls*registries/q.sts, calls/q.ecr) * float64(time.Second))
}

// advise prints what a fleet's boot would need of AWS, if it was throttled.
func (r result) advise(w io.Writer, q quotas) {
	if r.refused == 0 || r.policy == naive().name {
		return
	}
	calls := float64(r.nodes) / r.spread.Seconds()
	fmt.Fprintf(w, "\n%d nodes that boot within %s, %s: throttled. Spread the boot over %.0f s, or ask AWS for %.0f calls of AssumeRole and %.0f of GetAuthorizationToken a second.\n\n",
		r.nodes, r.spread, r.policy, advice(r.nodes, q).Seconds(), room*registries*calls, room*calls)
}
