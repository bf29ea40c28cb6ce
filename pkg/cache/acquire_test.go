//go:build unix

package cache

import (
	"context"
	"errors"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"ecr-cross-account-credential-provider/pkg/failure"
)

// bubble runs a test in virtual time. Waiting takes no real time, and ends exactly
// on time.
func bubble(t *testing.T, test func(t *testing.T, n *node, locks memoryLock)) {
	t.Helper()
	n := newNode(t)
	synctest.Test(t, func(t *testing.T) {
		n.t = t
		test(t, n, newMemoryLock())
	})
}

// process is a process of the plugin in virtual time.
func (n *node) process(locks memoryLock) *Store {
	n.t.Helper()
	o := n.options()
	o.Now = time.Now
	o.Boot.Uptime = func() time.Duration { return time.Since(noon) }
	s, err := Open(n.dir, o)
	must(n.t, err)
	n.t.Cleanup(func() { _ = s.Close() })
	s.lock = locks.lock
	return s
}

// together lets many processes request the same token at once.
func (n *node) together(locks memoryLock, count int, mint Mint) (leases []Lease, errs []error) {
	n.t.Helper()
	leases, errs = make([]Lease, count), make([]error, count)
	var wait sync.WaitGroup
	for i := range count {
		s := n.process(locks)
		wait.Go(func() { leases[i], errs[i] = s.Acquire(n.t.Context(), request, mint) })
	}
	wait.Wait()
	return leases, errs
}

func TestOneAsksForAll(t *testing.T) {
	t.Parallel()
	token, unfresh, dead, large := tokenOf("secret"), tokenOf("secret"), tokenOf("secret"), tokenOf(strings.Repeat("x", maxFile))
	unfresh.Fresh, dead.Life = 0, 0
	tests := []struct {
		name  string
		token Token
		err   error
		calls int32
	}{
		{"a token", token, nil, 1},
		{"a token that is not fresh", unfresh, nil, 1},
		{"a refusal", Token{}, errRefused, 1},
		{"a wrong configuration", Token{}, errMisconfigured, 1},
		{"a failure", Token{}, errUnavailable, 1},
		{"a failure of the caller's token", Token{}, errCallers, 30},
		{"a token that cannot be kept", dead, nil, 30},
		{"a token that cannot be written", large, nil, 30},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			bubble(t, func(t *testing.T, n *node, locks memoryLock) {
				var calls atomic.Int32
				begin := time.Now()
				leases, errs := n.together(locks, 30, func(context.Context) (Token, error) {
					calls.Add(1)
					time.Sleep(2 * time.Second)
					return test.token, test.err
				})
				if calls.Load() != test.calls {
					t.Errorf("got %d calls, want %d", calls.Load(), test.calls)
				}
				for i, err := range errs {
					class, _ := failure.Of(err)
					wantClass, _ := failure.Of(test.err)
					if (err == nil) != (test.err == nil) || class != wantClass || !leases[i].Secret.Equal(test.token.Secret) {
						t.Errorf("got %+v, %v; want the token, %v", leases[i], err, test.err)
					}
				}
				// If each process must ask, the processes ask one after another.
				// After half of their time, all processes that still wait ask at
				// once.
				want := 2 * time.Second
				if test.calls > 1 {
					want += patience
				}
				if took := time.Since(begin); took != want {
					t.Errorf("got %s of virtual time, want %s", took, want)
				}
				if warned := len(n.warned); warned != 0 && !test.token.Secret.Equal(large.Secret) {
					t.Errorf("got warnings %q, want none", n.warned)
				}
			})
		})
	}
}

// TestHalfOfTheTime: a process waits for the lock for half of its time, and then
// asks AWS itself.
func TestHalfOfTheTime(t *testing.T) {
	t.Parallel()
	for name, limit := range map[string]time.Duration{"a deadline": 30 * time.Second, "none": 0} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			bubble(t, func(t *testing.T, n *node, locks memoryLock) {
				ctx, want := t.Context(), patience
				if limit != 0 {
					var cancel context.CancelFunc
					ctx, cancel = context.WithTimeout(ctx, limit)
					defer cancel()
					want = limit / 2
				}
				var wait sync.WaitGroup
				stopped := make(chan struct{})
				wait.Go(func() {
					l, err := n.process(locks).Acquire(ctx, request, func(context.Context) (Token, error) {
						<-stopped
						return Token{}, errUnavailable
					})
					// This process gets an error of AWS, but the other process has
					// got a token meanwhile.
					if err != nil || l.Outcome != Fresh {
						t.Errorf("first process: got %+v, %v; want a fresh token", l, err)
					}
				})
				synctest.Wait()
				begin := time.Now()
				s := n.process(locks)
				l, err := s.Acquire(ctx, request, func(context.Context) (Token, error) { return n.token, nil })
				if waited := time.Since(begin); err != nil || l.Outcome != Minted || waited != want {
					t.Errorf("got %+v, %v after %s of virtual time, want a minted token after %s", l, err, waited, want)
				}
				close(stopped)
				wait.Wait()
				if l, err := s.Acquire(ctx, request, nil); err != nil || l.Outcome != Fresh {
					t.Errorf("got %+v, %v; want a fresh token", l, err)
				}
				n.wantWarned()
			})
		})
	}
}

// TestOutcomeWithoutTheLock: a process that did not get the lock reads the entry
// again before it asks.
func TestOutcomeWithoutTheLock(t *testing.T) {
	t.Parallel()
	bubble(t, func(t *testing.T, n *node, locks memoryLock) {
		locks.hold(t)
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		defer cancel()
		var wait sync.WaitGroup
		wait.Go(func() {
			if _, err := n.process(locks).Acquire(ctx, request, func(context.Context) (Token, error) { return n.token, nil }); err != nil {
				t.Error(err)
			}
		})
		time.Sleep(time.Second)
		later, stop := context.WithTimeout(t.Context(), 20*time.Second)
		defer stop()
		if l, err := n.process(locks).Acquire(later, request, nil); err != nil || l.Outcome != Fresh {
			t.Errorf("got %+v, %v; want a fresh token", l, err)
		}
		wait.Wait()
	})
}

// TestCancelledWaiter: a process that is cancelled while it waits stops at once.
// The error names the registry.
func TestCancelledWaiter(t *testing.T) {
	t.Parallel()
	bubble(t, func(t *testing.T, n *node, locks memoryLock) {
		locks.hold(t)
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(time.Second, cancel)
		begin := time.Now()
		_, err := n.process(locks).Acquire(ctx, request, nil)
		if !errors.Is(err, context.Canceled) || !strings.Contains(err.Error(), request.Registry) || time.Since(begin) != time.Second {
			t.Errorf("got %v after %s, want context.Canceled with the registry after 1s", err, time.Since(begin))
		}
	})
}

// TestRefreshIsShort: if the cache has a valid token, waiting and asking together
// take at most 3 s.
func TestRefreshIsShort(t *testing.T) {
	t.Parallel()
	hang := func(ctx context.Context) (Token, error) {
		<-ctx.Done()
		return Token{}, ctx.Err()
	}
	for name, held := range map[string]bool{"asking": false, "waiting and asking": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			bubble(t, func(t *testing.T, n *node, locks memoryLock) {
				s := n.process(locks)
				if _, err := s.Acquire(t.Context(), request, func(context.Context) (Token, error) { return n.token, nil }); err != nil {
					t.Fatal(err)
				}
				time.Sleep(7 * time.Hour)
				if held {
					locks.hold(t)
				}
				begin := time.Now()
				leases, errs := n.together(locks, 20, hang)
				if took := time.Since(begin); errors.Join(errs...) != nil || took != refreshWithin {
					t.Errorf("got %v after %s of virtual time, want no error after %s", errs, took, refreshWithin)
				}
				for _, l := range leases {
					if l.Outcome != Stale || l.Keep != staleKeep || l.Note == "" {
						t.Errorf("got %+v, want a stale token with a note, to keep for %s", l, staleKeep)
					}
				}
			})
		})
	}
}

// TestRefusalReachesWaiters: a process does not use a stale token if another
// process got a refusal meanwhile.
func TestRefusalReachesWaiters(t *testing.T) {
	t.Parallel()
	bubble(t, func(t *testing.T, n *node, locks memoryLock) {
		s := n.process(locks)
		if _, err := s.Acquire(t.Context(), request, func(context.Context) (Token, error) { return n.token, nil }); err != nil {
			t.Fatal(err)
		}
		time.Sleep(7 * time.Hour)
		_, errs := n.together(locks, 5, func(context.Context) (Token, error) {
			time.Sleep(time.Second)
			return Token{}, errRefused
		})
		for _, err := range errs {
			if class, ok := failure.Of(err); !ok || class != failure.Refused {
				t.Errorf("got %v, want a refusal", err)
			}
		}
	})
}

// TestRefusalOverrides: a refusal counts even if another process got a token
// meanwhile. Two refusals at the same time count as one.
func TestRefusalOverrides(t *testing.T) {
	t.Parallel()
	for name, other := range map[string]error{"a token": nil, "a refusal": errRefused} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			n := newNode(t)
			s := n.open()
			s.lock = newMemoryLock().lock // the other process has its own lock
			_, err := s.Acquire(t.Context(), request, func(context.Context) (Token, error) {
				o := n.open()
				o.lock = newMemoryLock().lock
				if _, err := o.Acquire(t.Context(), request, func(context.Context) (Token, error) { return n.token, other }); !errors.Is(err, other) {
					t.Error(err)
				}
				return Token{}, errRefused
			})
			if class, _ := failure.Of(err); class != failure.Refused {
				t.Errorf("got %v, want a refusal", err)
			}
			n.wantError(errRefused.Error()+"; refused 0s ago, asked again in 1m0s", 0)
		})
	}
}

// TestDirectoryIsGone: a process still gets a token if its directory is removed.
func TestDirectoryIsGone(t *testing.T) {
	t.Parallel()
	n := newNode(t)
	s := n.open()
	l, err := s.Acquire(t.Context(), request, func(ctx context.Context) (Token, error) {
		must(t, os.RemoveAll(n.dir))
		return n.ask(ctx)
	})
	if err != nil || l.Outcome != Minted || l.Keep != 6*time.Hour {
		t.Errorf("got %+v, %v; want a minted token to keep for 6h", l, err)
	}
	n.wantWarned("is not written: no such file or directory")
	if l, err := s.Acquire(t.Context(), request, n.ask); err != nil || l.Outcome != Minted {
		t.Errorf("got %+v, %v; want a minted token", l, err)
	}
}
