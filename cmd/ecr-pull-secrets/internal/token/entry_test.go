package token

import (
	"testing"
	"time"
	"unsafe"

	"ecr-cross-account-credential-provider/cmd/ecr-pull-secrets/internal/target"
	"ecr-cross-account-credential-provider/pkg/cache"
	"ecr-cross-account-credential-provider/pkg/secret"
)

// later returns a time after which the wall clock and the monotonic clock have gone on
// differently. Package time cannot make such a time.
func later(t *testing.T, now time.Time, wall, monotonic time.Duration) time.Time {
	t.Helper()
	at := now.Add(wall)
	(*struct {
		wall uint64
		ext  int64
		loc  *time.Location
	})(unsafe.Pointer(&at)).ext += int64(monotonic - wall)
	if at.Sub(now) != monotonic || at.Round(0).Sub(now.Round(0)) != wall {
		t.Fatal("package time has changed; adapt this function")
	}
	return at
}

// TestClocks: a time has come if either clock says so.
func TestClocks(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name            string
		wall, monotonic time.Duration
		want            bool
	}{
		{"early", time.Hour - time.Second, time.Hour - time.Second, false},
		{"in time", time.Hour, time.Hour, true},
		{"after a sleep", 2 * time.Hour, time.Minute, true},
		{"after the clock was set back", -2 * time.Hour, time.Hour, true},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			began := time.Now()
			e := &entry{token: secret.New("AWS:x"), expires: began.Add(time.Hour), due: began.Add(time.Hour), targets: []target.Target{{}}, failures: 1}
			k := &Keeper{kept: map[string]*entry{"": e}, order: []string{""}}
			now := later(t, began, test.wall, test.monotonic)
			if e.valid(now) == test.want {
				t.Errorf("valid: got %t, want %t", !test.want, test.want)
			}
			if due := len(k.due(now)) > 0; due != test.want {
				t.Errorf("due: got %t, want %t", due, test.want)
			}
			if expires := k.States()[0].Expires; expires != began.Add(time.Hour).Round(0) {
				t.Errorf("got the expiry %v, want it by the wall clock", expires)
			}
		})
	}
}

// TestFallback: the token of whenRefused is fresh until its end. It is renewed before that.
func TestFallback(t *testing.T) {
	t.Parallel()
	now, e := time.Unix(1_000_000, 0), &entry{}
	e.renewed(cache.Token{Secret: secret.New("AWS:x"), Fresh: 280 * time.Second, Life: 280 * time.Second}, now)
	if !e.valid(e.due) {
		t.Errorf("got a renewal after %s, want one before the token's end", e.due.Sub(now))
	}
}
