package cache

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"ecr-cross-account-credential-provider/pkg/failure"
	"ecr-cross-account-credential-provider/pkg/secret"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// in returns the time d after noon.
func in(d time.Duration) time.Time { return noon.Add(d) }

// some returns an entry with a token that was minted at noon.
func some(fresh, life time.Duration) entry {
	return entry{Learned: noon, Minted: noon, Token: &Token{Secret: secret.New("secret"), Fresh: fresh, Life: life}}
}

// failing returns the entry with an error at noon.
func (e entry) failing(class failure.Class, again time.Duration, streak uint) entry {
	e.Learned, e.Failure, e.Streak = noon, &RememberedError{Reason: "reason", Class: class, Again: again}, streak
	return e
}

func TestDecide(t *testing.T) {
	t.Parallel()
	const hour = time.Hour
	token, unfresh := some(6*hour, 12*hour), some(0, 12*hour)
	failed := func(e entry, again time.Duration) entry { return e.failing(failure.Unavailable, again, 0) }
	tests := []struct {
		name       string
		entry      entry
		now, since time.Duration
		want       decision
	}{
		{"nothing", entry{}, 0, 0, ask},
		{"a fresh token", token, hour, hour, serve},
		{"until its last moment", token, 6*hour - 1, hour, serve},
		{"a token that is no longer fresh", token, 6 * hour, 6 * hour, ask},
		{"a dead token", token, 12 * hour, 12 * hour, ask},
		{"a dead token learned since", token, 12 * hour, 0, ask},
		{"a token learned since, although never fresh", unfresh, 1, 0, serve},
		{"a token learned before", unfresh, 1, 1, ask},
		{"a failure", failed(entry{}, time.Minute), time.Minute - 1, 1, fail},
		{"a failure that is over", failed(entry{}, time.Minute), time.Minute, 1, ask},
		{"a failure learned since, although over", failed(entry{}, 0), time.Minute, 0, fail},
		{"a failure learned before", failed(entry{}, 0), 1, 1, ask},
		{"a failure beside a valid token", failed(unfresh, time.Minute), 1, 1, stale},
		{"a failure beside a dead token", failed(some(0, 1), time.Minute), 1, 1, fail},
		{"a failure that is over beside a valid token", failed(unfresh, 0), 1, 1, ask},
		{"a failure learned since beside a valid token", failed(unfresh, 0), 1, 0, stale},
		{"a failure beside a fresh token", failed(token, time.Minute), 1, 1, serve},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			if got := test.entry.decide(in(test.now), in(test.since)); got != test.want {
				t.Errorf("got %d, want %d", got, test.want)
			}
		})
	}
}

func TestAfter(t *testing.T) {
	t.Parallel()
	const refused, misconfigured, unavailable = failure.Refused, failure.Misconfigured, failure.Unavailable
	none, token, dead := entry{}, some(0, 12*time.Hour), some(0, 0)
	// before returns the entry of a refusal that is no longer remembered.
	before := func(streak uint, over time.Duration) entry {
		e := none.failing(refused, time.Minute, streak)
		e.Learned = in(-time.Minute - over)
		return e
	}
	tests := []struct {
		name   string
		entry  entry
		class  failure.Class
		random float64
		want   entry
	}{
		{"a refusal", none, refused, 0, none.failing(refused, time.Minute, 1)},
		{"a refusal drops the token", token, refused, 0, none.failing(refused, time.Minute, 1)},
		{"the second refusal in a row", before(1, 0), refused, 0, none.failing(refused, 2*time.Minute, 2)},
		{"the third", before(2, 10*time.Minute), refused, 0, none.failing(refused, 4*time.Minute, 3)},
		{"the fourth", before(3, 0), refused, 0, none.failing(refused, 5*time.Minute, 4)},
		{"after many", before(1000, 0), refused, 0, none.failing(refused, 5*time.Minute, 1001)},
		{"a refusal after the streak has ended", before(3, 10*time.Minute+1), refused, 0, none.failing(refused, time.Minute, 1)},
		{"misconfigured", none, misconfigured, 0, none.failing(misconfigured, time.Minute, 1)},
		{"misconfigured keeps the token", token, misconfigured, 0, token.failing(misconfigured, time.Minute, 1)},
		{"misconfigured in a row", token.failing(refused, 0, 1), misconfigured, 0, token.failing(misconfigured, 2*time.Minute, 2)},
		{"misconfigured and a dead token", dead, misconfigured, 0, none.failing(misconfigured, time.Minute, 1)},
		{"unavailable", none, unavailable, 0.5, none.failing(unavailable, 3*time.Second, 0)},
		{"unavailable at least", none, unavailable, 0, none.failing(unavailable, time.Second, 0)},
		{"unavailable at most", none, unavailable, 1, none.failing(unavailable, 5*time.Second, 0)},
		{"unavailable keeps the token", token, unavailable, 0.5, token.failing(unavailable, time.Minute, 0)},
		{"unavailable keeps the token at least", token, unavailable, 0, token.failing(unavailable, 48*time.Second, 0)},
		{"unavailable keeps the token at most", token, unavailable, 1, token.failing(unavailable, 72*time.Second, 0)},
		{"unavailable and a dead token", dead, unavailable, 0, none.failing(unavailable, time.Second, 0)},
		{"unavailable keeps the streak", before(2, 0), unavailable, 0, none.failing(unavailable, time.Second, 2)},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			got := test.entry.after(test.class, errors.New("reason"), test.random, noon)
			if diff := cmp.Diff(test.want, got, cmp.Comparer(secret.Text.Equal)); diff != "" {
				t.Errorf("want -, got +:\n%s", diff)
			}
		})
	}
}

func moment(wall time.Time, boot string, uptime time.Duration) instant {
	return instant{wall, uptime, func() string { return boot }}
}

func TestStepped(t *testing.T) {
	t.Parallel()
	then := moment(noon, "boot", time.Hour)
	tests := []struct {
		name string
		now  instant
		want time.Duration
	}{
		{"time passes", moment(in(5*time.Hour), "boot", 6*time.Hour), 0},
		{"a little apart", moment(in(5*time.Hour+2999*time.Millisecond), "boot", 6*time.Hour), 0},
		{"set forward", moment(in(8*time.Hour), "boot", 6*time.Hour), 3 * time.Hour},
		{"set back", moment(in(-24*time.Hour), "boot", 6*time.Hour), -29 * time.Hour},
		{"set by three seconds", moment(in(5*time.Hour+3*time.Second), "boot", 6*time.Hour), 3 * time.Second},
		{"another boot", moment(in(8*time.Hour), "another", time.Minute), 0},
		{"an unknown boot", moment(in(8*time.Hour), "", 0), 0},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			if got := then.stepped(test.now); got != test.want {
				t.Errorf("got %s, want %s", got, test.want)
			}
			if got := then.on(test.now); !got.Equal(in(test.want)) {
				t.Errorf("got %s for noon, want %s", got, in(test.want))
			}
		})
	}
	if got := moment(noon, "", 0).stepped(moment(in(time.Hour), "", 0)); got != 0 {
		t.Errorf("without any boot: got %s, want 0s", got)
	}
}

func TestParseKey(t *testing.T) {
	t.Parallel()
	key := Key{1, 0xab, 31: 0xff}
	if again, ok := parseKey(key.String()); !ok || again != key {
		t.Errorf("got %s, %t; want %s", again, ok, key)
	}
	for _, s := range []string{"", "x", key.String()[1:], key.String() + "00", "AB" + key.String()[2:], "gg" + key.String()[2:]} {
		if key, ok := parseKey(s); ok {
			t.Errorf("got key %s for %q, want none", key, s)
		}
	}
}
