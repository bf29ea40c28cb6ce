//go:build unix

package cache

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"ecr-cross-account-credential-provider/pkg/failure"
	"ecr-cross-account-credential-provider/pkg/secret"
)

func TestFreshThenRefreshed(t *testing.T) {
	t.Parallel()
	n := newNode(t)
	n.want(Minted, 6*time.Hour, 1)
	n.advance(time.Hour)
	if l := n.want(Fresh, 5*time.Hour, 0); l.Secret.Reveal() != "secret-1" || l.Identity != request.Identity {
		t.Errorf("got %+v, want secret-1 and the request's identity", l)
	}
	n.advance(5*time.Hour - time.Nanosecond)
	n.want(Fresh, time.Nanosecond, 0)
	n.advance(time.Nanosecond)
	n.token = tokenOf("secret-2")
	n.want(Minted, 6*time.Hour, 1)
	if l := n.want(Fresh, 6*time.Hour, 0); l.Secret.Reveal() != "secret-2" {
		t.Errorf("got %s, want secret-2", l.Secret.Reveal())
	}
	n.wantWarned()
}

func TestNoteAndIdentityAreKept(t *testing.T) {
	t.Parallel()
	n := newNode(t)
	n.token.Note, n.token.Identity, n.token.Fresh, n.token.Life = "the role was refused", "the node", 5*time.Minute, 5*time.Minute
	for _, outcome := range []Outcome{Minted, Fresh} {
		if l, err := n.pull(); err != nil || l.Note != n.token.Note || l.Identity != "the node" || l.Outcome != outcome {
			t.Errorf("got %+v, %v; want %s with the note and the identity", l, err, outcome)
		}
	}
	n.advance(5 * time.Minute)
	n.err = errUnavailable
	n.wantError(errUnavailable.Error(), 2)
}

func TestStale(t *testing.T) {
	t.Parallel()
	n := newNode(t)
	n.token.Note = "a note"
	n.want(Minted, 6*time.Hour, 1)
	n.err = errUnavailable
	n.advance(7 * time.Hour)
	l := n.want(Stale, 5*time.Minute, 1)
	want := "using the token of 7h0m0s ago for registry " + request.Registry + ", valid for another 5h0m0s, because there is no new one: " + errUnavailable.Error()
	if l.Note != want+"; a note" {
		t.Errorf("got note %q, want %q", l.Note, want)
	}
	// AWS is not asked for a minute. Each note repeats the reason.
	n.advance(59 * time.Second)
	if l := n.want(Stale, 5*time.Minute, 0); !strings.HasSuffix(l.Note, errUnavailable.Error()+"; failed 59s ago, asked again in 1s; a note") {
		t.Errorf("got note %q, want the age of the error at its end", l.Note)
	}
	n.advance(time.Second)
	n.want(Stale, 5*time.Minute, 1)
	// The token is not kept past its end.
	n.advance(5*time.Hour - 3*time.Minute)
	n.want(Stale, 2*time.Minute, 1)
	n.advance(2 * time.Minute)
	n.wantError(errUnavailable.Error(), 1)
	n.wantWarned()
}

// TestOutage: a node that has a token does not need AWS for five hours. It asks
// once in 5 minutes if the kubelet keeps each response for as long as allowed.
func TestOutage(t *testing.T) {
	t.Parallel()
	n := newNode(t)
	n.want(Minted, 6*time.Hour, 1)
	n.advance(6 * time.Hour)
	n.err = errUnavailable
	for end := n.time.Add(5 * time.Hour); n.time.Before(end); {
		l, err := n.pull()
		if err != nil || l.Outcome != Stale || l.Keep != staleKeep {
			t.Fatalf("%s after the start: got %+v, %v; want a stale token to keep for %s", n.time.Sub(noon), l, err, staleKeep)
		}
		n.advance(l.Keep)
	}
	if n.calls != 60 {
		t.Errorf("got %d calls, want 60: one in 5 minutes", n.calls)
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

// TestMisconfiguredKeepsTheToken: a valid token stays in use after an answer of
// class Misconfigured.
func TestMisconfiguredKeepsTheToken(t *testing.T) {
	t.Parallel()
	n := newNode(t)
	n.want(Minted, 6*time.Hour, 1)
	n.advance(7 * time.Hour)
	n.err = errMisconfigured
	n.want(Stale, 5*time.Minute, 1)
	n.advance(time.Minute - 1)
	if l := n.want(Stale, 5*time.Minute, 0); !strings.Contains(l.Note, errMisconfigured.Error()) {
		t.Errorf("got note %q, want the error in it", l.Note)
	}
	n.advance(1)
	n.want(Stale, 5*time.Minute, 1)
	n.advance(2*time.Minute - 1)
	n.want(Stale, 5*time.Minute, 0)
	n.advance(1)
	n.err = nil
	n.want(Minted, 6*time.Hour, 1)
}

func TestRefusalGrows(t *testing.T) {
	t.Parallel()
	for _, err := range []classError{errRefused, errMisconfigured} {
		t.Run(err.class.String(), func(t *testing.T) {
			t.Parallel()
			word := map[failure.Class]string{failure.Refused: "refused", failure.Misconfigured: "failed"}[err.class]
			n := newNode(t)
			n.err = err
			for _, memory := range []time.Duration{1, 2, 4, 5, 5} {
				memory *= time.Minute
				n.wantError(err.Error(), 1)
				n.advance(42 * time.Second)
				n.wantError(fmt.Sprintf("%s; %s 42s ago, asked again in %s", err, word, memory-42*time.Second), 0)
				n.advance(memory - 42*time.Second)
			}
			// After a long time, the count starts again.
			n.advance(refusalStreak + time.Second)
			n.wantError(err.Error(), 1)
			n.wantError(err.Error()+"; "+word+" 0s ago, asked again in 1m0s", 0)
			// The count also starts again after a success.
			n.advance(time.Minute)
			n.err, n.token.Fresh, n.token.Life = nil, time.Minute, time.Minute
			n.want(Minted, time.Minute, 1)
			n.advance(time.Minute)
			n.err = err
			n.wantError(err.Error(), 1)
			n.advance(time.Minute)
			n.wantError(err.Error(), 1)
			n.wantWarned()
		})
	}
}

// TestRefusalGrowsThroughOutage: an outage does not end a streak of refusals.
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

func TestUnavailableIsRememberedBriefly(t *testing.T) {
	t.Parallel()
	for _, err := range []error{errUnavailable, errors.New("an error without a class")} {
		t.Run(err.Error(), func(t *testing.T) {
			t.Parallel()
			n := newNode(t)
			n.err = err
			n.wantError(err.Error(), 1)
			n.advance(2500 * time.Millisecond)
			_, got := n.pull()
			var remembered *RememberedError
			if !errors.As(got, &remembered) || remembered.Again != 500*time.Millisecond || remembered.Age != 2500*time.Millisecond || n.calls != 0 {
				t.Errorf("got %v after %d calls, want the remembered error after none", got, n.calls)
			}
			if class, ok := failure.Of(got); !ok || class != failure.Unavailable {
				t.Errorf("got class %s (%t), want %s", class, ok, failure.Unavailable)
			}
			n.advance(500 * time.Millisecond)
			n.wantError(err.Error(), 1)
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
	if files := n.files(); !slices.Equal(files, []string{request.Key.String() + lockSuffix}) {
		t.Errorf("got files %q, want only the lock", files)
	}
	n.err = nil
	n.want(Minted, 6*time.Hour, 1)
	// The error does not drop a stale token, but the request does not use it.
	n.advance(7 * time.Hour)
	n.err = errCallers
	n.wantError(errCallers.Error(), 1)
	n.err = errUnavailable
	n.want(Stale, 5*time.Minute, 1)
}

// TestCancelled: a cancelled request leaves nothing in the cache.
func TestCancelled(t *testing.T) {
	t.Parallel()
	n := newNode(t)
	ctx, cancel := context.WithCancel(t.Context())
	_, err := n.open().Acquire(ctx, request, func(context.Context) (Token, error) {
		cancel()
		return Token{}, errRefused
	})
	if !errors.Is(err, errRefused) {
		t.Errorf("got %v, want %v", err, errRefused)
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
		{"fresh for a negative time", -time.Hour, time.Minute, 0, 1},
		{"dead", 0, 0, 0, 1},
		{"dead for a long time", -time.Hour, -time.Minute, 0, 1},
		{"fresh for longer than alive", time.Hour, time.Minute, time.Minute, 0},
		{"for a month", 720 * time.Hour, 720 * time.Hour, 720 * time.Hour, 0},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			n := newNode(t)
			n.token.Fresh, n.token.Life = test.fresh, test.life
			n.want(Minted, test.keep, 1)
			n.advance(time.Second)
			if _, err := n.pull(); err != nil || n.calls != test.calls {
				t.Errorf("got %v after %d calls, want success after %d", err, n.calls, test.calls)
			}
			n.wantWarned()
		})
	}
}

// TestOff: without a cache, each request asks AWS.
func TestOff(t *testing.T) {
	t.Parallel()
	var s *Store
	n := newNode(t)
	for want := range 2 {
		l, err := s.Acquire(t.Context(), request, n.ask)
		if err != nil || l.Outcome != Minted || l.Keep != 6*time.Hour || l.Secret.Reveal() != "secret-1" || l.Identity != request.Identity || n.calls != want+1 {
			t.Errorf("got %+v, %v after %d calls; want a minted token after %d", l, err, n.calls, want+1)
		}
	}
	n.err = errRefused
	if _, err := s.Acquire(t.Context(), request, n.ask); !errors.Is(err, errRefused) {
		t.Errorf("got %v, want %v", err, errRefused)
	}
	list, err := s.List()
	cleared, clearErr := s.Clear()
	if len(list) != 0 || cleared != 0 || err != nil || clearErr != nil || s.Close() != nil {
		t.Errorf("got list %v, %v, cleared %d, %v; want nothing and no error", list, err, cleared, clearErr)
	}
}

func TestSecretsAreNotPrinted(t *testing.T) {
	t.Parallel()
	token := Token{Secret: secret.New("marker"), Life: time.Hour}
	e := minted(request, token, noon)
	for _, v := range []any{token, &token, []Token{token}, e, &e, e.lease(Stale, noon, noon)} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%d", "%x"} {
			if s := fmt.Sprintf(verb, v); strings.Contains(s, "marker") || strings.Contains(s, "6d61726b6572") {
				t.Errorf("got %s for %s of %T, want no secret", s, verb, v)
			}
		}
	}
}

// TestOneLine: a message is one line of limited length, whatever AWS's text is.
func TestOneLine(t *testing.T) {
	t.Parallel()
	n := newNode(t)
	n.err = errors.New("first\nsecond\x00" + strings.Repeat("x", 10_000))
	_, _ = n.pull()
	_, err := n.pull()
	if err == nil || !strings.HasPrefix(err.Error(), "first second x") || strings.ContainsAny(err.Error(), "\n\x00") || len(err.Error()) > maxText+100 {
		t.Errorf("got %q, want one short line", err)
	}
}
