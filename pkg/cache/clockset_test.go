//go:build unix

package cache

import (
	"context"
	"testing"
	"time"
)

// TestWrongClock: a clock with a constant error changes nothing.
func TestWrongClock(t *testing.T) {
	t.Parallel()
	for _, off := range []time.Duration{-30 * 365 * 24 * time.Hour, -9 * time.Hour, 9 * time.Hour, 30 * 365 * 24 * time.Hour} {
		t.Run(off.String(), func(t *testing.T) {
			t.Parallel()
			n := newNode(t)
			n.set(off)
			n.want(Minted, 6*time.Hour, 1)
			n.advance(5 * time.Hour)
			n.want(Fresh, time.Hour, 0)
			n.advance(2 * time.Hour)
			n.err = errUnavailable
			n.want(Stale, 5*time.Minute, 1)
			n.advance(5 * time.Hour)
			n.wantError(errUnavailable.Error(), 1)
		})
	}
}

// TestClockSet: setting the wall clock changes neither a token's age nor an
// error's.
func TestClockSet(t *testing.T) {
	t.Parallel()
	for _, by := range []time.Duration{-30 * 365 * 24 * time.Hour, -3 * time.Hour, -30 * time.Second, 30 * time.Second, 13 * time.Hour, 30 * 365 * 24 * time.Hour} {
		t.Run(by.String(), func(t *testing.T) {
			t.Parallel()
			n := newNode(t)
			n.want(Minted, 6*time.Hour, 1)
			n.advance(time.Hour)
			n.set(by)
			n.want(Fresh, 5*time.Hour, 0)
			n.advance(6 * time.Hour)
			n.err = errUnavailable
			n.want(Stale, 5*time.Minute, 1)
			n.set(-by)
			n.want(Stale, 5*time.Minute, 0)
			n.advance(5 * time.Hour)
			n.err = errRefused
			n.wantError(errRefused.Error(), 1)
			n.set(by)
			n.wantError(errRefused.Error()+"; refused 0s ago, asked again in 1m0s", 0)
			n.advance(time.Minute)
			n.wantError(errRefused.Error(), 1)
			n.wantWarned()
		})
	}
}

// TestClockSetWithoutBootClock: after a reboot, and on systems other than Linux,
// only the wall clock counts. An entry from the future is not used.
func TestClockSetWithoutBootClock(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		by     time.Duration
		calls  int
		warned []string
	}{
		{"back by little", -30 * time.Second, 0, nil},
		{"back by much", -3 * time.Hour, 1, []string{"it is from the future: the node's clock was set back"}},
		{"ahead by little", 30 * time.Second, 0, nil},
		{"ahead past the end", 13 * time.Hour, 1, nil},
	}
	for _, boot := range []string{"", "second"} {
		for _, test := range tests {
			t.Run(test.name+" "+boot, func(t *testing.T) {
				t.Parallel()
				n := newNode(t)
				n.want(Minted, 6*time.Hour, 1)
				n.boot = boot
				n.set(test.by)
				if _, err := n.pull(); err != nil || n.calls != test.calls {
					t.Errorf("got %v after %d calls, want success after %d", err, n.calls, test.calls)
				}
				n.wantWarned(test.warned...)
				n.calls = 0
				if _, err := n.pull(); err != nil || n.calls != 0 {
					t.Errorf("second pull: got %v after %d calls, want success after none", err, n.calls)
				}
				n.wantWarned()
			})
		}
	}
}

// TestRefusalFromTheFuture: setting the clock back does not prolong a refusal.
func TestRefusalFromTheFuture(t *testing.T) {
	t.Parallel()
	n := newNode(t)
	n.boot = ""
	n.err = errRefused
	n.wantError(errRefused.Error(), 1)
	n.set(-time.Hour)
	n.wantError(errRefused.Error(), 1)
	n.wantWarned("from the future")
}

// TestStoppedMint: a process may be stopped before it writes AWS's answer, and the
// clock may be set. Neither prolongs the token's life.
func TestStoppedMint(t *testing.T) {
	t.Parallel()
	for _, by := range []time.Duration{0, -24 * time.Hour, 24 * time.Hour} {
		t.Run(by.String(), func(t *testing.T) {
			t.Parallel()
			n := newNode(t)
			l, err := n.open().Acquire(t.Context(), request, func(context.Context) (Token, error) {
				n.advance(5 * time.Hour)
				n.set(by)
				return n.token, nil
			})
			if err != nil || l.Keep != time.Hour {
				t.Errorf("got %+v, %v; want a token to keep for 1h", l, err)
			}
			n.want(Fresh, time.Hour, 0)
		})
	}
}
