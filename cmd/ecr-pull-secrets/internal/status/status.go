// Package status serves the state of the running program: metrics, readiness and
// liveness.
package status

import (
	"sync"
	"time"

	"k8s.io/utils/clock"

	"ecr-cross-account-credential-provider/cmd/ecr-pull-secrets/internal/token"
	"ecr-cross-account-credential-provider/pkg/failure"
)

// Options are what a Status needs.
type Options struct {
	Clock clock.PassiveClock
	// Tokens returns the state of every token.
	Tokens func() []token.State
	// Leading reports whether this replica works. Following reports whether another
	// one does.
	Leading, Following func() bool
}

// Status counts events. New returns one. Several goroutines may use it at once.
type Status struct {
	o Options

	mu         sync.Mutex
	started    time.Time // the program's start, or the last time without the lease
	synced     time.Time // the last full sync, or zero
	namespaces int       // in the last full sync
	failing    int       // failures among those
	foreign    int
	failures   map[string]int // by class
	syncs      int
	writes     int
}

// kubernetes is the class of failures of the API server.
const kubernetes = "kubernetes"

// New returns a Status without events.
func New(o Options) *Status {
	s := &Status{o: o, started: o.Clock.Now(), failures: map[string]int{kubernetes: 0}}
	for _, c := range []failure.Class{failure.Unavailable, failure.Refused, failure.Misconfigured, failure.CallersToken} {
		s.failures[c.String()] = 0
	}
	return s
}

// Attempted counts a failed attempt to get a token.
func (s *Status) Attempted(a token.Attempt) {
	if a.Err == nil {
		return
	}
	class, _ := failure.Of(a.Err)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.failures[class.String()]++
}

// Failed counts a namespace that could not be served.
func (s *Status) Failed() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.failures[kubernetes]++
}

// Wrote counts a Secret or a service account that was written.
func (s *Status) Wrote() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.writes++
}

// Foreign sets the number of Secrets that belong to others.
func (s *Status) Foreign(n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.foreign = n
}

// Synced records that all namespaces were tried.
func (s *Status) Synced(namespaces, failed int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.synced, s.namespaces, s.failing = s.o.Clock.Now(), namespaces, failed
	s.syncs++
}

// Ready reports whether this replica has tried all namespaces once, or another replica
// works.
func (s *Status) Ready() bool {
	s.mu.Lock()
	synced := !s.synced.IsZero()
	s.mu.Unlock()
	return synced || s.o.Following()
}

// longestSilence is the longest time between two full syncs of a healthy leader. A
// full sync starts every ten minutes.
const longestSilence = 35 * time.Minute

// Alive reports whether a leader has recently tried all namespaces. For a replica that
// does not lead, it reports true.
func (s *Status) Alive() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.o.Clock.Now()
	if !s.o.Leading() {
		s.started = now
		return true
	}
	last := s.started
	if s.synced.After(last) {
		last = s.synced
	}
	return now.Sub(last) <= longestSilence
}
