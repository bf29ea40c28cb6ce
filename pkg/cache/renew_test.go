//go:build unix

package cache

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"ecr-cross-account-credential-provider/pkg/secret"
)

// session returns the token of a session of one hour. Margin and jitter reduce its
// fresh time as much as possible.
func session() Token {
	return Token{Secret: secret.New("secret-1"), Fresh: 55 * time.Minute, Life: 12 * time.Hour}
}

// renew renews a token ahead, like a new process.
func (n *node) renew() (Info, bool, error) {
	n.t.Helper()
	return n.open().Renew(n.t.Context(), request, true, n.ask)
}

// TestRenewAt: the time at which a token is replaced depends on how long it is
// fresh.
func TestRenewAt(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ fresh, want time.Duration }{
		{6 * time.Hour, 45 * time.Minute},
		{57 * time.Minute, 45 * time.Minute},
		{55 * time.Minute, 45 * time.Minute},
		{14 * time.Minute, 4 * time.Minute},
		{5 * time.Minute, 0},
	} {
		t.Run(test.fresh.String(), func(t *testing.T) {
			t.Parallel()
			n := newNode(t)
			n.token.Fresh = test.fresh
			for _, step := range []struct {
				after   time.Duration
				renewed bool
			}{{0, true}, {test.want - time.Second, false}, {time.Second, true}} {
				if n.advance(max(0, step.after)); step.after < 0 {
					continue
				}
				if i, renewed, err := n.renew(); renewed != step.renewed || err != nil || i.State != "fresh" {
					t.Errorf("after %s: got %+v, renewed %t, %v; want renewed %t", step.after, i, renewed, err, step.renewed)
				}
			}
		})
	}
}

// TestRenewIsNotUse: renewing does not change the time of last use, whether there
// was a use or not.
func TestRenewIsNotUse(t *testing.T) {
	t.Parallel()
	n := newNode(t)
	n.token = session()
	used := func() time.Time {
		t.Helper()
		list, err := n.open().List()
		must(t, err)
		if len(list) != 1 {
			t.Fatalf("got %+v, want one entry", list)
		}
		return list[0].Used
	}
	for range 3 {
		if _, renewed, err := n.renew(); !renewed || err != nil {
			t.Fatalf("got renewed %t, %v; want true", renewed, err)
		}
		if at := used(); !at.IsZero() {
			t.Errorf("got last use %s, want none", at)
		}
		n.advance(50 * time.Minute)
	}
	n.advance(50 * time.Minute) // stale
	n.calls = 0
	n.want(Minted, 55*time.Minute, 1)
	requested := n.now()
	n.advance(46 * time.Minute)
	if _, renewed, err := n.renew(); !renewed || err != nil || !used().Equal(requested) {
		t.Errorf("got renewed %t, last use %s, %v; want true, %s", renewed, used(), err, requested)
	}
	n.advance(10 * time.Minute)
	n.calls = 0
	n.want(Fresh, 45*time.Minute, 0)
	if !used().Equal(n.now()) {
		t.Errorf("got last use %s, want %s", used(), n.now())
	}
}

// TestRenewNotKept: if the cache does not keep a new token, renewing it has failed.
func TestRenewNotKept(t *testing.T) {
	t.Parallel()
	over, large := session(), session()
	over.Life = 0
	large.Secret = secret.New(strings.Repeat("x", maxFile))
	for want, token := range map[string]Token{
		"by this node's clock it is no longer valid; check the clock": over,
		"it is larger than 65536 bytes":                               large,
	} {
		n := newNode(t)
		n.token = token
		want = "the cache does not keep the new token for registry " + request.Registry + ": " + want
		if i, renewed, err := n.renew(); renewed || err == nil || err.Error() != want || i.State != "" {
			t.Errorf("got %+v, renewed %t, %v; want an error: %s", i, renewed, err, want)
		}
	}
}

// TestRenewFails: after an error, a fresh token stays in use, and AWS is not asked
// for a while. A refusal still drops the token.
func TestRenewFails(t *testing.T) {
	t.Parallel()
	n := newNode(t)
	n.token = session()
	n.want(Minted, 55*time.Minute, 1)
	n.advance(46 * time.Minute)
	n.err = errUnavailable
	if _, renewed, err := n.renew(); renewed || !errors.Is(err, errUnavailable) || n.calls != 1 {
		t.Errorf("got renewed %t, %v after %d calls; want false, %v after one", renewed, err, n.calls, errUnavailable)
	}
	var remembered *RememberedError
	if _, renewed, err := n.renew(); renewed || !errors.As(err, &remembered) || n.calls != 1 {
		t.Errorf("got renewed %t, %v after %d calls; want false, a remembered error after one", renewed, err, n.calls)
	}
	n.calls = 0
	n.want(Fresh, 9*time.Minute, 0)
	n.advance(2 * time.Minute)
	n.err = errCallers
	if _, _, err := n.renew(); !errors.Is(err, errCallers) {
		t.Errorf("got %v, want %v", err, errCallers)
	}
	n.err = errRefused
	if _, _, err := n.renew(); !errors.Is(err, errRefused) {
		t.Errorf("got %v, want %v", err, errRefused)
	}
	n.calls = 0
	n.wantError(errRefused.Error()+"; refused 0s ago, asked again in 1m0s", 0)
	n.advance(2 * time.Minute)
	n.err = nil
	if i, renewed, err := n.renew(); !renewed || err != nil || i.Reason != "" {
		t.Errorf("got %+v, renewed %t, %v; want true and no reason", i, renewed, err)
	}
}

// TestRenewShares: while a token is renewed, a request uses a fresh token without
// the lock. If the token is stale, the request shares the new one.
func TestRenewShares(t *testing.T) {
	t.Parallel()
	for _, age := range []time.Duration{50 * time.Minute, time.Hour} {
		t.Run(age.String(), func(t *testing.T) {
			t.Parallel()
			bubble(t, func(t *testing.T, n *node, locks memoryLock) {
				n.token = session()
				_, err := n.process(locks).Acquire(t.Context(), request, n.ask)
				must(t, err)
				time.Sleep(age)
				renewed := make(chan error)
				s := n.process(locks)
				go func() {
					_, _, err := s.Renew(t.Context(), request, true, func(context.Context) (Token, error) {
						time.Sleep(time.Second)
						return session(), nil
					})
					renewed <- err
				}()
				synctest.Wait()
				begin := time.Now()
				l, err := n.process(locks).Acquire(t.Context(), request, nil)
				waited := time.Since(begin)
				if fresh := age < 55*time.Minute; err != nil || l.Outcome != Fresh || fresh != (waited == 0) {
					t.Errorf("got %s, %v after %s; want a fresh token, at once: %t", l.Outcome, err, waited, fresh)
				}
				must(t, <-renewed)
			})
		})
	}
}

// TestRenewCancelled: a cancelled renewal changes nothing.
func TestRenewCancelled(t *testing.T) {
	t.Parallel()
	n := newNode(t)
	n.token = session()
	n.want(Minted, 55*time.Minute, 1)
	n.advance(46 * time.Minute)
	ctx, cancel := context.WithCancel(t.Context())
	_, renewed, err := n.open().Renew(ctx, request, true, func(context.Context) (Token, error) {
		cancel()
		return Token{}, errUnavailable
	})
	if renewed || !errors.Is(err, errUnavailable) {
		t.Errorf("got renewed %t, %v; want false, %v", renewed, err, errUnavailable)
	}
	if i, renewed, err := n.renew(); !renewed || err != nil {
		t.Errorf("got %+v, renewed %t, %v after a cancelled renewal; want true", i, renewed, err)
	}
}

// TestRenewDamaged: a damaged entry is replaced.
func TestRenewDamaged(t *testing.T) {
	t.Parallel()
	n := newNode(t)
	must(t, os.MkdirAll(n.dir, 0o700))
	write(t, n.file(""), "damaged")
	if _, renewed, err := n.renew(); !renewed || err != nil {
		t.Errorf("got renewed %t, %v; want true", renewed, err)
	}
	n.wantWarned("is damaged", "is damaged")
}

// TestPruneSparesAhead: entries of pods that name many accounts displace each
// other. They never displace an entry that follows from the configuration, even if
// a request minted the token of that entry.
func TestPruneSparesAhead(t *testing.T) {
	t.Parallel()
	c := newCrowd(t, 3)
	c.token = session()
	_, _, err := c.store.Renew(t.Context(), Request{Key: keyOf("ahead"), Registry: "ahead"}, true, c.ask)
	must(t, err)
	for i := range 5 {
		c.acquire(fmt.Sprint(i))
	}
	c.wantKept("ahead", "4", "3")
	c.wantGone("0", "1", "2")
	c.advance(time.Hour)
	c.acquire("ahead") // minted by a request
	for i := range 5 {
		c.acquire(fmt.Sprint(i))
	}
	c.wantKept("ahead")
	c.advance(12 * time.Hour) // the token ends, because no run renews it
	for i := range 5 {
		c.acquire(fmt.Sprint(i))
	}
	c.wantGone("ahead")
}

// timer is the systemd timer of config-examples in virtual time. Each run starts 5
// to 10 minutes after the one before. chance returns a number in [0, 1).
type timer struct {
	every, jitter time.Duration
	chance        func() float64
}

func (t timer) next() time.Duration { return t.every + time.Duration(t.chance()*float64(t.jitter)) }

// timers returns a timer for each of the two extremes, and one for random values
// between them.
func timers() map[string]timer {
	every, jitter := 5*time.Minute, 290*time.Second
	return map[string]timer{
		"never late":  {every, jitter, func() float64 { return 0 }},
		"always late": {every, jitter, func() float64 { return 0.9999 }},
		"by chance":   {every, jitter, rand.Float64},
	}
}

// TestRenewedDay: a plan needs at most 32 mints a day. Every request finds a fresh
// token, and every token is younger than 55 minutes.
func TestRenewedDay(t *testing.T) {
	t.Parallel()
	for name, timer := range timers() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			n := newNode(t)
			n.token = session()
			s := n.open()
			var oldest time.Duration
			for end := n.now().Add(24 * time.Hour); n.now().Before(end); n.advance(timer.next()) {
				list, err := s.List()
				must(t, err)
				if len(list) > 0 {
					oldest = max(oldest, list[0].Age)
				}
				if _, err := s.Acquire(t.Context(), request, func(context.Context) (Token, error) {
					return session(), nil
				}); err != nil {
					t.Fatal(err)
				}
				if _, _, err := s.Renew(t.Context(), request, true, n.ask); err != nil {
					t.Fatal(err)
				}
			}
			if n.calls > 32 || oldest >= 55*time.Minute {
				t.Errorf("got %d mints, the oldest token is %s old; want at most 32 and less than 55m", n.calls, oldest)
			}
			t.Logf("%d mints, the oldest token is %s old", n.calls, oldest)
		})
	}
}

// TestLongOutage: AWS hangs for 11 hours, from any moment of a cycle. Every call
// hangs until its context ends. Each request gets a token, within 3 s.
func TestLongOutage(t *testing.T) {
	t.Parallel()
	for name, timer := range timers() {
		for before := 0; before < 56; before += 5 {
			t.Run(fmt.Sprintf("%s, after %dm", name, before), func(t *testing.T) {
				t.Parallel()
				bubble(t, func(t *testing.T, n *node, locks memoryLock) {
					longOutage(t, n.process(locks), timer, time.Duration(60+before)*time.Minute)
				})
			})
		}
	}
}

func longOutage(t *testing.T, s *Store, timer timer, before time.Duration) {
	t.Helper()
	start := time.Now().Add(before)
	end := start.Add(11 * time.Hour)
	mint := func(ctx context.Context) (Token, error) {
		if time.Now().Before(start) {
			return session(), nil
		}
		<-ctx.Done()
		return Token{}, errUnavailable
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for time.Now().Before(end) {
			ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
			_, _, _ = s.Renew(ctx, request, true, mint) // its errors do not reach the requests
			cancel()
			time.Sleep(timer.next())
		}
	}()
	time.Sleep(time.Second)
	for ; time.Now().Before(end); time.Sleep(307 * time.Second) {
		begin := time.Now()
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		l, err := s.Acquire(ctx, request, mint)
		cancel()
		if took := time.Since(begin); err != nil || took > refreshWithin || begin.Before(start) && l.Outcome != Fresh {
			t.Fatalf("%s after the outage began: got %s, %v after %s; want a token within %s", begin.Sub(start), l.Outcome, err, took, refreshWithin)
		}
	}
	<-done
}
