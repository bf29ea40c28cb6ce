//go:build unix

package cache

import (
	"context"
	"errors"
	"os"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// bubble runs a test in a time of its own: waiting costs none, and ends when it
// should to the nanosecond.
func bubble(t *testing.T, test func(t *testing.T, n *node)) {
	t.Helper()
	n := newNode(t)
	synctest.Test(t, func(t *testing.T) {
		n.t = t
		test(t, n)
	})
}

// store is a process of the plugin by the bubble's clock.
func (n *node) store() *Store {
	n.t.Helper()
	o := n.options()
	o.Now = time.Now
	s, err := Open(n.dir, o)
	if err != nil {
		n.t.Fatal(err)
	}
	n.t.Cleanup(func() { _ = s.Close() })
	return s
}

// together has many processes want the same at once. Each waits at the start of
// mint until all that will come are there.
func (n *node) together(count int, mint Mint) (answers []Answer, errs []error) {
	n.t.Helper()
	answers, errs = make([]Answer, count), make([]error, count)
	var wait sync.WaitGroup
	for i := range count {
		s := n.store()
		wait.Go(func() { answers[i], errs[i] = s.Do(n.t.Context(), request, mint) })
	}
	wait.Wait()
	return answers, errs
}

func TestOneAsksForAll(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name  string
		token Token
		err   error
		calls int32
	}{
		{"a token", Token{Username: "AWS", Password: "secret", Fresh: time.Hour, Life: time.Hour}, nil, 1},
		{"a token that is not fresh", Token{Username: "AWS", Password: "secret", Life: time.Hour}, nil, 1},
		{"a refusal", Token{}, errRefused, 1},
		{"a failure", Token{}, errUnavailable, 1},
		{"a failure that belongs to each", Token{}, errCallers, 30},
		{"a token that can't be kept", Token{Username: "AWS", Password: "secret"}, nil, 30},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			bubble(t, func(t *testing.T, n *node) {
				var calls atomic.Int32
				begin := time.Now()
				answers, errs := n.together(30, func(context.Context) (Token, error) {
					calls.Add(1)
					time.Sleep(2 * time.Second)
					return test.token, test.err
				})
				if calls.Load() != test.calls {
					t.Errorf("asked %d times, want %d", calls.Load(), test.calls)
				}
				for i := range answers {
					var remembered *RememberedError
					if !errors.Is(errs[i], test.err) && (!errors.As(errs[i], &remembered) || remembered.Reason != test.err.Error()) ||
						answers[i].Password != test.token.Password {
						t.Errorf("got %s, %v", answers[i], errs[i])
					}
				}
				// Where each must ask, they do so at the same time.
				if took := time.Since(begin); took > 4*time.Second+2*lastPoll {
					t.Errorf("took %s", took)
				}
				n.wantWarned()
			})
		})
	}
}

// hold takes a key's lock and keeps it, as a process that was stopped does.
func (n *node) hold(lane int, promise time.Duration) {
	n.t.Helper()
	l, err := n.store().openLock(request.Key, lane)
	if err != nil {
		n.t.Fatal(err)
	}
	if free, err := l.try(); err != nil || !free {
		n.t.Fatal(free, err)
	}
	if promise != 0 {
		must(n.t, l.promise(time.Now().Add(promise)))
	}
	n.t.Cleanup(l.release)
}

func TestStoppedHolder(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name  string
		holds []time.Duration // promises, by lane
		want  time.Duration   // until AWS is asked
		calls int32           // of 10 processes
	}{
		{"no promise yet", []time.Duration{0}, grace, 1},
		{"promise kept", []time.Duration{7 * time.Second}, 7 * time.Second, 1},
		{"long broken", []time.Duration{-time.Hour}, grace, 1},
		{"from a wrong clock", []time.Duration{24 * time.Hour}, maxPromise, 1},
		{"two of them", []time.Duration{4 * time.Second, 8 * time.Second}, 8 * time.Second, 10},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			bubble(t, func(t *testing.T, n *node) {
				for lane, promise := range test.holds {
					n.hold(lane, promise)
				}
				var calls atomic.Int32
				begin := time.Now()
				_, errs := n.together(10, func(context.Context) (Token, error) {
					calls.Add(1)
					if waited := time.Since(begin); waited < test.want || waited > test.want+2*lastPoll+grace {
						t.Errorf("waited %s, want %s", waited, test.want)
					}
					time.Sleep(time.Second)
					return n.token, nil
				})
				if err := errors.Join(errs...); err != nil || calls.Load() != test.calls {
					t.Errorf("asked %d times, want %d: %v", calls.Load(), test.calls, err)
				}
			})
		})
	}
}

// TestHalfOfTheTime: whoever asks promises an outcome in half of its time, so
// that those who came with it can still ask should it be stopped.
func TestHalfOfTheTime(t *testing.T) {
	t.Parallel()
	bubble(t, func(t *testing.T, n *node) {
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		defer cancel()
		var wait sync.WaitGroup
		stopped := make(chan struct{})
		wait.Go(func() {
			_, _ = n.store().Do(ctx, request, func(context.Context) (Token, error) {
				<-stopped
				return Token{}, errUnavailable
			})
		})
		synctest.Wait()
		begin := time.Now()
		s := n.store()
		a, err := s.Do(ctx, request, func(ctx context.Context) (Token, error) {
			if end, _ := ctx.Deadline(); !end.Equal(begin.Add(19500 * time.Millisecond)) {
				t.Errorf("must end after %s", end.Sub(begin))
			}
			return n.token, nil
		})
		if waited := time.Since(begin); err != nil || a.Source != Minted || waited < 10*time.Second || waited > 10*time.Second+2*lastPoll {
			t.Errorf("got %s, %v after %s", a, err, waited)
		}
		// The one that was stopped goes on, and has nothing to say any more.
		close(stopped)
		wait.Wait()
		if a, err := s.Do(ctx, request, nil); err != nil || a.Source != Fresh {
			t.Errorf("got %s, %v", a, err)
		}
	})
}

// TestWaitersTimeEnds: who has waited in vain says so.
func TestWaitersTimeEnds(t *testing.T) {
	t.Parallel()
	bubble(t, func(t *testing.T, n *node) {
		n.hold(0, 10*time.Second)
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
		defer cancel()
		_, err := n.store().Do(ctx, request, nil)
		want := "no token for registry " + request.Registry + ": another process of this node has been asking for 2s: context deadline exceeded"
		if err == nil || err.Error() != want || !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v, want %s", err, want)
		}
	})
}

// TestRefreshIsQuick: with a token at hand nobody waits for longer than 3s for a
// better one, whether by asking or by waiting for who asks.
func TestRefreshIsQuick(t *testing.T) {
	t.Parallel()
	ask := func(ctx context.Context) (Token, error) {
		<-ctx.Done()
		return Token{}, ctx.Err()
	}
	for name, promise := range map[string]time.Duration{"asking": 0, "waiting": 15 * time.Second, "first one, then the other": 2 * time.Second} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			bubble(t, func(t *testing.T, n *node) {
				s := n.store()
				if _, err := s.Do(t.Context(), request, func(context.Context) (Token, error) { return n.token, nil }); err != nil {
					t.Fatal(err)
				}
				time.Sleep(7 * time.Hour)
				if promise != 0 {
					n.hold(0, promise)
				}
				begin := time.Now()
				a, err := s.Do(t.Context(), request, ask)
				if took := time.Since(begin); err != nil || a.Source != Stale || a.Keep != staleKeep || took > refreshWithin || a.Note == "" {
					t.Errorf("got %s, %v after %s", a, err, took)
				}
				// Nor does a burst of them take longer.
				if promise == 0 {
					time.Sleep(2 * time.Minute)
					begin = time.Now()
					_, errs := n.together(20, ask)
					if took := time.Since(begin); errors.Join(errs...) != nil || took > refreshWithin {
						t.Errorf("got %v after %s", errs, took)
					}
				}
			})
		})
	}
}

// TestRefusalReachesWaiters: a stale token at hand does not outlive a refusal
// that another process got meanwhile.
func TestRefusalReachesWaiters(t *testing.T) {
	t.Parallel()
	bubble(t, func(t *testing.T, n *node) {
		s := n.store()
		if _, err := s.Do(t.Context(), request, func(context.Context) (Token, error) { return n.token, nil }); err != nil {
			t.Fatal(err)
		}
		time.Sleep(7 * time.Hour)
		_, errs := n.together(5, func(context.Context) (Token, error) {
			time.Sleep(time.Second)
			return Token{}, errRefused
		})
		for _, err := range errs {
			var remembered *RememberedError
			if !errors.Is(err, errRefused) && !errors.As(err, &remembered) {
				t.Errorf("got %v", err)
			}
		}
	})
}

// TestFolderIsGone: the folder goes while a process is at work.
func TestFolderIsGone(t *testing.T) {
	t.Parallel()
	n := newNode(t)
	s := n.open()
	a, err := s.Do(t.Context(), request, func(ctx context.Context) (Token, error) {
		must(t, os.RemoveAll(n.dir))
		return n.ask(ctx)
	})
	if err != nil || a.Source != Minted || a.Keep != 6*time.Hour {
		t.Errorf("got %s, %v", a, err)
	}
	n.wantWarned("is not written: no such file or directory")
	if a, err := s.Do(t.Context(), request, n.ask); err != nil || a.Source != Minted {
		t.Errorf("got %s, %v", a, err)
	}
}
