package token_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"k8s.io/utils/clock"
	testclock "k8s.io/utils/clock/testing"

	"ecr-cross-account-credential-provider/cmd/ecr-pull-secrets/internal/target"
	"ecr-cross-account-credential-provider/cmd/ecr-pull-secrets/internal/token"
	"ecr-cross-account-credential-provider/pkg/cache"
	"ecr-cross-account-credential-provider/pkg/config"
	"ecr-cross-account-credential-provider/pkg/failure"
	"ecr-cross-account-credential-provider/pkg/registry"
	"ecr-cross-account-credential-provider/pkg/secret"
)

// classified is an error of AWS.
type classified struct{ class failure.Class }

func (e classified) Error() string               { return "error " + e.class.String() }
func (e classified) FailureClass() failure.Class { return e.class }

// aws is a Round that a test controls.
type aws struct {
	t     *testing.T
	clock *testclock.FakeClock

	mu       sync.Mutex
	failing  map[string]error // by host; "own" and "begin" too
	minted   []string         // hosts, in order
	attempts []token.Attempt
	fresh    time.Duration
}

func (a *aws) begin(context.Context) (token.Round, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a, a.failing["begin"]
}

func (a *aws) Own(context.Context) (registry.Account, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if err := a.failing["own"]; err != nil {
		return registry.Account{}, err
	}
	return registry.ParseAccount("111122223333")
}

func (a *aws) Mint(ctx context.Context, t target.Target) (cache.Token, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if _, bounded := ctx.Deadline(); !bounded {
		a.t.Error("got a request for a token without a deadline")
	}
	if err := a.failing[t.Host]; err != nil {
		return cache.Token{}, err
	}
	a.minted = append(a.minted, t.Host)
	return cache.Token{Secret: secret.New(fmt.Sprint("AWS:", len(a.minted))), Fresh: a.fresh, Life: 12 * time.Hour}, nil
}

func (a *aws) report(t token.Attempt) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.attempts = append(a.attempts, t)
}

func (a *aws) fail(host string, err error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.failing[host] = err
}

// took returns the hosts whose tokens were minted since the last call.
func (a *aws) took() []string {
	a.mu.Lock()
	defer a.mu.Unlock()
	hosts := slices.Sorted(slices.Values(a.minted[len(a.minted)-min(len(a.minted), a.since()):]))
	a.attempts = nil
	return hosts
}

// since counts the successes since took was last called.
func (a *aws) since() (n int) {
	for _, attempt := range a.attempts {
		if attempt.Err == nil {
			n++
		}
	}
	return n
}

const (
	one   = "444455556666.dkr.ecr.eu-west-1.amazonaws.com"
	two   = "777788889999.dkr.ecr.eu-west-1.amazonaws.com"
	mine  = "111122223333.dkr.ecr.eu-west-1.amazonaws.com"
	roles = `
- accounts: ["444455556666"]
  regions: [eu-west-1]
  assumeRoles: [{arn: "arn:aws:iam::444455556666:role/pull"}]
- accounts: ["777788889999"]
  regions: [eu-west-1]
  assumeRoles: [{arn: "arn:aws:iam::777788889999:role/pull"}]
`
)

func keeper(t *testing.T, entries string) (*token.Keeper, *aws) {
	t.Helper()
	a := &aws{t: t, clock: testclock.NewFakeClock(time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)), failing: map[string]error{}, fresh: time.Hour}
	return a.keeper(t, entries, a.clock), a
}

// keeper returns a Keeper with a clock.
func (a *aws) keeper(t *testing.T, entries string, by clock.Clock) *token.Keeper {
	t.Helper()
	file := filepath.Join(t.TempDir(), "config.yaml")
	text := "apiVersion: ecr-cross-account-credential-provider/v1alpha1\nkind: CrossAccountConfig\nregistries:\n" + entries
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := config.Load(file, nil)
	if err != nil {
		t.Fatal(err)
	}
	targets, err := target.New(c)
	if err != nil {
		t.Fatal(err)
	}
	k, err := token.New(token.Options{
		Targets: targets, Begin: a.begin, Deadline: time.Minute, Clock: by, Random: func() float64 { return 0 }, Report: a.report,
	})
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// held returns the logins by key.
func held(k *token.Keeper) map[string]string {
	logins := map[string]string{}
	for _, c := range k.Credentials() {
		logins[c.Key] = c.Login.Reveal()
	}
	return logins
}

// TestRenew: a token is renewed when it is due, together with those that are due
// soon.
func TestRenew(t *testing.T) {
	t.Parallel()
	k, a := keeper(t, roles)
	a.fail(two, classified{failure.Unavailable})
	k.Renew(t.Context())
	if diff := cmp.Diff([]string{one}, a.took()); diff != "" {
		t.Fatalf("(-want +got):\n%s", diff)
	}
	a.fail(two, nil)
	a.clock.Step(10 * time.Second) // the shortest wait after an error
	k.Renew(t.Context())
	if diff := cmp.Diff([]string{two}, a.took()); diff != "" {
		t.Fatalf("(-want +got):\n%s", diff)
	}
	a.clock.Step(59 * time.Minute)
	if k.Renew(t.Context()) || len(a.took()) > 0 {
		t.Error("after 59 minutes: got a new token, want none")
	}
	a.clock.Step(time.Minute)
	if !k.Renew(t.Context()) {
		t.Error("after an hour: got no change, want one")
	}
	if diff := cmp.Diff([]string{one, two}, a.took()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestSharedPlan: registries with the same identity in the same region share a token.
func TestSharedPlan(t *testing.T) {
	t.Parallel()
	k, a := keeper(t, `
- {accounts: ["444455556666", "777788889999"], regions: [eu-west-1, eu-central-1]}
`)
	k.Renew(t.Context())
	if n := len(a.took()); n != 2 {
		t.Errorf("got %d tokens, want one for each region", n)
	}
	logins := held(k)
	if len(logins) != 4 || logins[one] != logins[two] || logins[one] == logins[strings.Replace(one, "west", "central", 1)] {
		t.Errorf("got %v, want one token for each region", logins)
	}
}

// TestWaits: the wait before AWS is asked again depends on the class.
func TestWaits(t *testing.T) {
	t.Parallel()
	seconds := func(all ...int) (waits []time.Duration) {
		for _, s := range all {
			waits = append(waits, time.Duration(s)*time.Second)
		}
		return waits
	}
	tests := []struct {
		err  error
		want []time.Duration
	}{
		{classified{failure.Unavailable}, seconds(10, 20, 40, 80, 160, 300, 300)},
		{classified{failure.Refused}, seconds(60, 120, 240, 480, 600, 600)},
		{classified{failure.Misconfigured}, seconds(60, 120, 240, 480, 600, 600)},
		{errors.New("without a class"), seconds(10, 20, 40)},
	}
	for _, test := range tests {
		t.Run(test.err.Error(), func(t *testing.T) {
			t.Parallel()
			k, a := keeper(t, roles)
			a.fail("begin", test.err)
			for _, want := range test.want {
				k.Renew(t.Context())
				if got := a.attempts[len(a.attempts)-1].Next.Sub(a.clock.Now()); got != want {
					t.Errorf("got a wait of %s, want %s", got, want)
				}
				a.clock.Step(want)
			}
		})
	}
}

// TestLastGood: a token stays until it expires, and is then dropped.
func TestLastGood(t *testing.T) {
	t.Parallel()
	k, a := keeper(t, roles)
	k.Renew(t.Context())
	a.fail(one, classified{failure.Refused})
	a.clock.Step(time.Hour)
	if !k.Renew(t.Context()) || held(k)[one] != "AWS:1" && held(k)[one] != "AWS:2" {
		t.Errorf("got %v, want the last token of the refused registry", held(k))
	}
	states := map[string]bool{}
	for _, s := range k.States() {
		states[s.Key] = s.Failing != nil
	}
	if diff := cmp.Diff(map[string]bool{one: true, two: false}, states); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	a.clock.Step(11 * time.Hour)
	if !k.Renew(t.Context()) {
		t.Error("at a token's end: got no change, want one")
	}
	if keys := slices.Sorted(maps.Keys(held(k))); !slices.Equal(keys, []string{two}) {
		t.Errorf("got tokens for %q, want one for %q", keys, two)
	}
	if k.Renew(t.Context()) {
		t.Error("after a token's end: got another change, want none")
	}
	if !k.Knows(one) || !k.Knows(two) || k.Knows("other") {
		t.Error("got other keys, want those of the configuration")
	}
}

// TestOwn: the keeper gets the tokens for this program's own account as soon as the
// account is known.
func TestOwn(t *testing.T) {
	t.Parallel()
	k, a := keeper(t, roles+"- {accounts: [own], regions: [eu-west-1]}\n")
	a.fail("own", classified{failure.Unavailable})
	k.Renew(t.Context())
	if keys := slices.Sorted(maps.Keys(held(k))); !slices.Equal(keys, []string{one, two}) {
		t.Errorf("got tokens for %q, want %q and %q", keys, one, two)
	}
	if !k.Knows("any") {
		t.Error("own account unknown: got an unknown key, want every key known")
	}
	if states := k.States(); states[len(states)-1].Key != "own" || states[len(states)-1].Failing == nil {
		t.Errorf("got %v, want the failure of own", states)
	}
	a.fail("own", nil)
	a.clock.Step(time.Minute)
	if !k.Renew(t.Context()) || held(k)[mine] == "" || k.Knows("any") {
		t.Errorf("got tokens for %v, want one for the own account", held(k))
	}
	if n := len(k.States()); n != 3 {
		t.Errorf("got %d states, want 3", n)
	}
}

// moving is a clock that shows a later time at each look, as a real clock does.
type moving struct{ *testclock.FakeClock }

func (m moving) Now() time.Time {
	m.Step(time.Millisecond)
	return m.FakeClock.Now()
}

// TestOnlyOwn: one call of Renew also gets the tokens of entries that it has just found.
func TestOnlyOwn(t *testing.T) {
	t.Parallel()
	_, a := keeper(t, roles)
	k := a.keeper(t, "- {accounts: [own], regions: [eu-west-1]}\n", moving{a.clock})
	if !k.Renew(t.Context()) || held(k)[mine] == "" {
		t.Errorf("got tokens for %v, want one for the own account", held(k))
	}
}

// TestOverdue: a token is overdue from the time at which it should be renewed, until it
// is.
func TestOverdue(t *testing.T) {
	t.Parallel()
	k, a := keeper(t, roles)
	overdue := func(want ...string) {
		t.Helper()
		var got []string
		for _, c := range k.Credentials() {
			if c.Overdue {
				got = append(got, c.Key)
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	}
	k.Renew(t.Context())
	overdue()
	a.clock.Step(time.Hour)
	overdue(one, two)
	a.fail(two, classified{failure.Unavailable})
	k.Renew(t.Context())
	overdue(two)
	a.fail(two, nil)
	a.clock.Step(10 * time.Second)
	k.Renew(t.Context())
	overdue()
}

// TestStopped: a cancelled request says nothing about AWS.
func TestStopped(t *testing.T) {
	t.Parallel()
	k, a := keeper(t, roles)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	a.fail(one, context.Canceled)
	a.fail(two, context.Canceled)
	k.Renew(ctx)
	if len(a.attempts) > 0 {
		t.Errorf("got the attempts %v, want none", a.attempts)
	}
	a.fail(one, nil)
	a.fail(two, nil)
	if !k.Renew(t.Context()) || len(held(k)) != 2 {
		t.Error("got no tokens, want both at once")
	}
}

// TestRun: Run wakes up by the clock, and reports changes.
func TestRun(t *testing.T) {
	t.Parallel()
	k, a := keeper(t, roles)
	ctx, cancel := context.WithCancel(t.Context())
	changed, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		k.Run(ctx, func() { changed <- struct{}{} })
	}()
	<-changed // the first tokens
	for range 2 {
		for done := false; !done; { // in steps, because Run does not rely on one long wait
			select {
			case <-changed:
				done = true
			default:
				if a.clock.HasWaiters() {
					a.clock.Step(time.Minute)
				}
			}
		}
	}
	cancel()
	<-ended
	if n := len(a.took()); n != 6 {
		t.Errorf("got %d tokens, want 6", n)
	}
}
