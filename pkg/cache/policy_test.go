//go:build unix

package cache

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"
)

func TestFreshThenRefreshed(t *testing.T) {
	t.Parallel()
	n := newNode(t)
	n.want(Minted, 6*time.Hour, 1)
	n.advance(time.Hour)
	if a := n.want(Fresh, 5*time.Hour, 0); a.Age != time.Hour || a.Password != "secret-1" {
		t.Errorf("got %s", a)
	}
	n.advance(5*time.Hour - time.Nanosecond)
	n.want(Fresh, time.Nanosecond, 0)
	n.advance(time.Nanosecond)
	n.token.Password = "secret-2"
	n.want(Minted, 6*time.Hour, 1)
	if a := n.want(Fresh, 6*time.Hour, 0); a.Password != "secret-2" {
		t.Error("the old token is still served")
	}
	n.wantWarned()
}

func TestNoteIsRepeated(t *testing.T) {
	t.Parallel()
	n := newNode(t)
	n.token.Note, n.token.Fresh, n.token.Life = "the role was refused", 5*time.Minute, 5*time.Minute
	for _, source := range []Source{Minted, Fresh} {
		if a, err := n.pull(); err != nil || a.Note != n.token.Note || a.Source != source {
			t.Errorf("got %s, %v", a, err)
		}
	}
	n.advance(5 * time.Minute)
	n.err = errUnavailable
	n.wantError(errUnavailable.Error(), 2)
}

func TestStale(t *testing.T) {
	t.Parallel()
	n := newNode(t)
	n.want(Minted, 6*time.Hour, 1)
	n.err = errUnavailable
	n.advance(7 * time.Hour)
	a := n.want(Stale, 5*time.Minute, 1)
	if want := "using the token of 7h0m0s ago for registry " + request.Registry + ", good for another 5h0m0s, as there is no new one: " + errUnavailable.Error(); a.Note != want {
		t.Errorf("got note %q, want %q", a.Note, want)
	}
	// Nobody asks for a minute; the reason is told each time.
	n.advance(59 * time.Second)
	if a := n.want(Stale, 5*time.Minute, 0); !strings.HasSuffix(a.Note, errUnavailable.Error()+"; failed 59s ago, asked again in 1s") {
		t.Errorf("got note %q", a.Note)
	}
	n.advance(time.Second)
	n.want(Stale, 5*time.Minute, 1)
	// Not past the token's end.
	n.advance(5*time.Hour - 3*time.Minute)
	n.want(Stale, 2*time.Minute, 1)
	n.advance(2 * time.Minute)
	n.wantError(errUnavailable.Error(), 1)
	n.wantWarned()
}

func TestStalePauseVaries(t *testing.T) {
	t.Parallel()
	for random, want := range map[float64]time.Duration{0: 48 * time.Second, 0.5: time.Minute, 0.999: 72 * time.Second} {
		if got := stalePauseOf(random); (got - want).Abs() > 100*time.Millisecond {
			t.Errorf("%v gives %s, want %s", random, got, want)
		}
	}
}

// TestOutage: AWS is away for 5h, from the worst moment on, and the kubelet asks
// whenever its answer is over.
func TestOutage(t *testing.T) {
	t.Parallel()
	n := newNode(t)
	n.want(Minted, 6*time.Hour, 1)
	n.advance(6 * time.Hour)
	n.err = errUnavailable
	for end := n.time.Add(5 * time.Hour); n.time.Before(end); {
		a, err := n.pull()
		if err != nil || a.Source != Stale || a.Keep != staleKeep {
			t.Fatalf("%s after the start: %s, %v", n.time.Sub(boot), a, err)
		}
		n.advance(a.Keep)
	}
	if n.calls != 60 {
		t.Errorf("asked %d times, want once in 5 min", n.calls)
	}
	n.calls, n.err = 0, nil
	n.want(Minted, 6*time.Hour, 1)
}

func TestRefusalDropsTheToken(t *testing.T) {
	t.Parallel()
	n := newNode(t)
	n.want(Minted, 6*time.Hour, 1)
	n.advance(7 * time.Hour)
	n.err = errRefused
	n.wantError(errRefused.Error(), 1)
	n.err = errUnavailable
	n.advance(5 * time.Minute)
	n.wantError(errUnavailable.Error(), 1)
}

func TestRefusalGrows(t *testing.T) {
	t.Parallel()
	n := newNode(t)
	n.err = errRefused
	for _, memory := range []time.Duration{1, 2, 4, 5, 5} {
		memory *= time.Minute
		n.wantError(errRefused.Error(), 1)
		n.advance(42 * time.Second)
		n.wantError(fmt.Sprintf("%s; refused 42s ago, asked again in %s", errRefused, memory-42*time.Second), 0)
		n.advance(memory - 42*time.Second)
	}
	// A long time after, it begins anew.
	n.advance(refusalStreak + time.Second)
	n.wantError(errRefused.Error(), 1)
	n.wantError(errRefused.Error()+"; refused 0s ago, asked again in 1m0s", 0)
	// So it does after a success.
	n.advance(time.Minute)
	n.err, n.token.Fresh, n.token.Life = nil, time.Minute, time.Minute
	n.want(Minted, time.Minute, 1)
	n.advance(time.Minute)
	n.err = errRefused
	n.wantError(errRefused.Error(), 1)
	n.advance(time.Minute)
	n.wantError(errRefused.Error(), 1)
	n.wantWarned()
}

// TestRefusalGrowsThroughOutage: that AWS was unavailable says nothing about the
// refusals before.
func TestRefusalGrowsThroughOutage(t *testing.T) {
	t.Parallel()
	n := newNode(t)
	n.err = errRefused
	n.wantError(errRefused.Error(), 1)
	n.advance(time.Minute)
	n.err = errUnavailable
	n.wantError(errUnavailable.Error(), 1)
	n.advance(5 * time.Second)
	n.err = errRefused
	n.wantError(errRefused.Error(), 1)
	n.wantError(errRefused.Error()+"; refused 0s ago, asked again in 2m0s", 0)
}

func TestUnavailableIsRememberedShortly(t *testing.T) {
	t.Parallel()
	for random, memory := range map[float64]time.Duration{0: time.Second, 0.5: 3 * time.Second, 0.99: 4960 * time.Millisecond} {
		t.Run(memory.String(), func(t *testing.T) {
			t.Parallel()
			n := newNode(t)
			n.random, n.err = random, errUnavailable
			n.wantError(errUnavailable.Error(), 1)
			n.advance(memory - 500*time.Millisecond)
			_, err := n.pull()
			var remembered *RememberedError
			if !errors.As(err, &remembered) || remembered.Verdict != Transient || remembered.Again != 500*time.Millisecond || n.calls != 0 {
				t.Errorf("got %v after %d calls", err, n.calls)
			}
			n.advance(500 * time.Millisecond)
			n.calls = 0
			n.wantError(errUnavailable.Error(), 1)
		})
	}
}

func TestCallersTokenIsForgotten(t *testing.T) {
	t.Parallel()
	n := newNode(t)
	n.err = errCallers
	for range 3 {
		n.wantError(errCallers.Error(), 1)
	}
	if files := n.files(); len(files) != 0 {
		t.Errorf("left %q", files)
	}
	n.err = nil
	n.want(Minted, 6*time.Hour, 1)
	// A stale token is neither used nor dropped.
	n.advance(7 * time.Hour)
	n.err = errCallers
	n.wantError(errCallers.Error(), 1)
	n.err = errUnavailable
	n.want(Stale, 5*time.Minute, 1)
}

// TestStopped: who is told to stop has learned nothing that others should know.
func TestStopped(t *testing.T) {
	t.Parallel()
	n := newNode(t)
	ctx, cancel := context.WithCancel(t.Context())
	_, err := n.open().Do(ctx, request, func(ctx context.Context) (Token, error) {
		cancel()
		return Token{}, context.Cause(ctx)
	})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	n.want(Minted, 6*time.Hour, 1)
}

func TestShortTokens(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name        string
		fresh, life time.Duration
		keep        time.Duration
		calls       int // of the second pull
	}{
		{"not fresh at all", 0, time.Minute, 0, 1},
		{"dead", 0, 0, 0, 1},
		{"dead for long", -time.Hour, -time.Minute, 0, 1},
		{"fresh for longer than alive", time.Hour, time.Minute, time.Minute, 0},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			n := newNode(t)
			n.token.Fresh, n.token.Life = test.fresh, test.life
			n.want(Minted, test.keep, 1)
			n.advance(time.Second)
			if _, err := n.pull(); err != nil || n.calls != test.calls {
				t.Errorf("got %v after %d calls", err, n.calls)
			}
			n.wantWarned()
		})
	}
}

// TestWrongClock: a clock that is wrong, but stays so, changes nothing.
func TestWrongClock(t *testing.T) {
	t.Parallel()
	for _, off := range []time.Duration{-30 * 365 * 24 * time.Hour, -9 * time.Hour, 9 * time.Hour, 30 * 365 * 24 * time.Hour} {
		t.Run(off.String(), func(t *testing.T) {
			t.Parallel()
			n := newNode(t)
			n.advance(off)
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

func TestClockSet(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		by     time.Duration
		calls  int
		warned []string
	}{
		{"back by little", -30 * time.Second, 0, nil},
		{"back by much", -3 * time.Hour, 1, []string{"it is from the future; the node's clock was set back"}},
		{"ahead by little", 30 * time.Second, 0, nil},
		{"ahead past the end", 13 * time.Hour, 1, nil},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			n := newNode(t)
			n.want(Minted, 6*time.Hour, 1)
			n.advance(test.by)
			if _, err := n.pull(); err != nil || n.calls != test.calls {
				t.Errorf("got %v after %d calls", err, n.calls)
			}
			n.wantWarned(test.warned...)
			n.calls = 0
			if _, err := n.pull(); err != nil || n.calls != 0 {
				t.Errorf("again: got %v after %d calls", err, n.calls)
			}
			n.wantWarned()
		})
	}
}

// TestRefusalFromTheFuture: a clock that was set back must not prolong it.
func TestRefusalFromTheFuture(t *testing.T) {
	t.Parallel()
	n := newNode(t)
	n.err = errRefused
	n.wantError(errRefused.Error(), 1)
	n.advance(-time.Hour)
	n.wantError(errRefused.Error(), 1)
	n.wantWarned("from the future")
}

// TestSuspended: a process that was stopped between AWS's answer and its note of
// it must not take the token to live longer.
func TestSuspended(t *testing.T) {
	t.Parallel()
	n := newNode(t)
	if _, err := n.open().Do(t.Context(), request, func(context.Context) (Token, error) {
		n.advance(5 * time.Hour)
		return n.token, nil
	}); err != nil {
		t.Fatal(err)
	}
	n.want(Fresh, time.Hour, 0)
}

// TestOff: a cache that is off is nobody's problem.
func TestOff(t *testing.T) {
	t.Parallel()
	var s *Store
	n := newNode(t)
	for want := range 2 {
		a, err := s.Do(t.Context(), request, n.ask)
		if err != nil || a.Source != Minted || a.Keep != 6*time.Hour || a.Password != "secret-1" || n.calls != want+1 {
			t.Errorf("got %s, %v", a, err)
		}
	}
	n.err = errRefused
	if _, err := s.Do(t.Context(), request, n.ask); !errors.Is(err, errRefused) {
		t.Errorf("got %v", err)
	}
	s.SetFact(request.Key, "111122223333", time.Hour)
	if fact, ok := s.Fact(request.Key); ok {
		t.Errorf("got %s", fact)
	}
	list, err := s.List()
	cleared, clearErr := s.Clear()
	if len(list) != 0 || cleared != 0 || err != nil || clearErr != nil || s.Close() != nil {
		t.Errorf("got %v, %v, %d, %v", list, err, cleared, clearErr)
	}
}

func TestKeys(t *testing.T) {
	t.Parallel()
	lists := [][]string{nil, {""}, {"", ""}, {"ab"}, {"a", "b"}, {"b", "a"}, {"ab", ""}, {"", "ab"}}
	seen := map[Key][]string{}
	for _, parts := range lists {
		key := NewKey(parts...)
		if other, ok := seen[key]; ok {
			t.Errorf("%q and %q have the same key", parts, other)
		}
		seen[key] = parts
		if again, ok := parseKey(key.String()); !ok || again != key {
			t.Errorf("%s parsed is %s, %t", key, again, ok)
		}
	}
	for _, s := range []string{"", "x", strings.Repeat("A", 64), strings.Repeat("g", 64), strings.Repeat("a", 63), strings.Repeat("a", 66)} {
		if key, ok := parseKey(s); ok {
			t.Errorf("%q is taken for %s", s, key)
		}
	}
}

func TestSecretsStayInside(t *testing.T) {
	t.Parallel()
	token := Token{Username: "AWS", Password: "marker", Life: time.Hour}
	k := &kept{Username: "AWS", Password: "marker", Expires: boot}
	for _, v := range []any{token, &token, token.answer(0), []Token{token}, k, record{Token: k}, &record{Token: k}, k.answer(boot, Stale, boot)} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%d", "%x"} {
			if s := fmt.Sprintf(verb, v); strings.Contains(s, "marker") || strings.Contains(s, "6d61726b6572") {
				t.Errorf("%s of %T prints %s", verb, v, s)
			}
		}
	}
}
