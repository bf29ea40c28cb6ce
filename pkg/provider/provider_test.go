package provider_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"ecr-cross-account-credential-provider/pkg/awsapi"
	"ecr-cross-account-credential-provider/pkg/cache"
	"ecr-cross-account-credential-provider/pkg/failure"
	"ecr-cross-account-credential-provider/pkg/kubelet"
	"ecr-cross-account-credential-provider/pkg/provider"
	"ecr-cross-account-credential-provider/test/fakeaws"
)

const (
	theirs = "444455556666.dkr.ecr.eu-west-1.amazonaws.com"
	oneHop = `registries:
- accounts: ["444455556666"]
  assumeRoles:
  - arn: arn:aws:iam::444455556666:role/pull
`
)

// TestServeWithoutAWS: these responses need no call to AWS, and no cache.
func TestServeWithoutAWS(t *testing.T) {
	t.Parallel()
	alone(t)
	c := mustLoad(t, oneHop+"  repositories: [team-a/]\nunmatched: None\n")
	for image, scope := range map[string]kubelet.Scope{
		"docker.io/library/nginx":                                     kubelet.ForRegistry,
		"444455556666.dkr.ecr.eu-west-1.amazonaws.com.evil.example/x": kubelet.ForRegistry,
		theirs + "/other":                                             kubelet.ForImage,
		"public.ecr.aws/x/y":                                          kubelet.ForRegistry,
	} {
		o := serve(t, c, nil, time.Now, requestFor(t, image))
		if o.Err != nil || o.Response.AuthKey != "" || !o.Response.Password.IsZero() || o.Response.CacheDuration != time.Hour || o.Response.Scope != scope {
			t.Errorf("%s: %+v, %v", image, o.Response, o.Err)
		}
	}
	if calls := aws.Calls(); len(calls) > 0 {
		t.Errorf("calls: %v", calls)
	}
}

// TestServe follows one plan through time: minted, from the cache, and minted again
// after the session ended.
func TestServe(t *testing.T) {
	t.Parallel()
	alone(t)
	c, clk := mustLoad(t, oneHop), &clock{}
	store := newStore(t, clk.now)
	steps := []struct {
		name    string
		advance time.Duration
		outcome cache.Outcome
		calls   int
	}{
		{"first", 0, cache.Minted, 2},
		{"at once", 0, cache.Fresh, 0},
		{"within the session", 50 * time.Minute, cache.Fresh, 0},
		{"after the session", 10 * time.Minute, cache.Minted, 2},
	}
	for _, step := range steps {
		clk.advance(step.advance)
		world.SetSkew(clk.ahead)
		aws.Forget()
		o := serve(t, c, store, clk.now, requestFor(t, theirs+"/app"))
		if o.Err != nil {
			t.Fatalf("%s: %v", step.name, o.Err)
		}
		grant, err := world.ReadToken(o.Response.Password.Reveal())
		if err != nil || grant.Role != "arn:aws:iam::444455556666:role/pull" || o.Response.Username != "AWS" || o.Response.AuthKey != theirs {
			t.Errorf("%s: %+v, %+v, %v", step.name, o.Response, grant, err)
		}
		if o.Response.CacheDuration <= 0 || o.Response.CacheDuration > time.Hour {
			t.Errorf("%s: kept for %s", step.name, o.Response.CacheDuration)
		}
		if n := answered(); o.Lease.Outcome != step.outcome || n != step.calls {
			t.Errorf("%s: %s with calls %v", step.name, o.Lease.Outcome, aws.Calls(fakeaws.STS, fakeaws.ECR))
		}
		if o.Identity() != "arn:aws:iam::444455556666:role/pull" {
			t.Errorf("%s: identity %s", step.name, o.Identity())
		}
	}
}

// answered counts the calls of STS and ECR that AWS answered. A call with a wrong
// date is refused once, and then made with the right one.
func answered() int {
	n := 0
	for _, call := range aws.Calls(fakeaws.STS, fakeaws.ECR) {
		if call.Outcome == "ok" {
			n++
		}
	}
	return n
}

// TestServeStale: while AWS is unavailable, a token that is still valid serves.
func TestServeStale(t *testing.T) {
	t.Parallel()
	alone(t)
	c, clk := mustLoad(t, oneHop), &clock{}
	store := newStore(t, clk.now)
	first := serve(t, c, store, clk.now, requestFor(t, theirs+"/app"))
	clk.advance(2 * time.Hour)
	world.SetSkew(2 * time.Hour)
	aws.Break(fakeaws.STS, fakeaws.Broken(0))
	o := serve(t, c, store, clk.now, requestFor(t, theirs+"/app"))
	if o.Err != nil || o.Lease.Outcome != cache.Stale || !o.Response.Password.Equal(first.Response.Password) || o.Response.CacheDuration > 5*time.Minute {
		t.Fatalf("%s, kept for %s: %v", o.Lease.Outcome, o.Response.CacheDuration, o.Err)
	}
	if notes := strings.Join(o.Notes, "; "); !strings.Contains(notes, "assuming role arn:aws:iam::444455556666:role/pull") {
		t.Errorf("the notes do not say why: %s", notes)
	}
}

// TestServeRefused: a refusal is an error with its class. The cache remembers both.
func TestServeRefused(t *testing.T) {
	t.Parallel()
	alone(t)
	c := mustLoad(t, strings.ReplaceAll(oneHop, "role/pull", "role/absent"))
	store := newStore(t, time.Now)
	for _, calls := range []int{1, 0} {
		aws.Forget()
		o := serve(t, c, store, time.Now, requestFor(t, theirs+"/app"))
		class, ok := failure.Of(o.Err)
		if o.Err == nil || !ok || class != failure.Refused || o.Response.AuthKey != "" {
			t.Fatalf("%v, class %v", o.Err, class)
		}
		if n := len(aws.Calls(fakeaws.STS)); n != calls {
			t.Errorf("%d calls of STS, want %d", n, calls)
		}
	}
}

// TestServeRememberedOfAnotherRegistry: two registries with one plan share a
// refusal. The message names the registry that is asked for.
func TestServeRememberedOfAnotherRegistry(t *testing.T) {
	t.Parallel()
	alone(t)
	c := mustLoad(t, `registries:
- accounts: ["444455556666", "777788889999"]
  assumeRoles:
  - arn: arn:aws:iam::444455556666:role/absent
`)
	store := newStore(t, time.Now)
	serve(t, c, store, time.Now, requestFor(t, theirs+"/app"))
	const other = "777788889999.dkr.ecr.eu-west-1.amazonaws.com"
	o := serve(t, c, store, time.Now, requestFor(t, other+"/app"))
	if o.Err == nil || !strings.HasPrefix(o.Err.Error(), "no credentials for registry "+other+": ") {
		t.Errorf("got %v", o.Err)
	}
}

// TestServeFallsBack: with whenRefused: Node the token is the node's own, for a
// short time. The outcome names the identity.
func TestServeFallsBack(t *testing.T) {
	t.Parallel()
	alone(t)
	c := mustLoad(t, strings.ReplaceAll(oneHop, "role/pull", "role/absent\n  whenRefused: Node"))
	store := newStore(t, time.Now)
	for _, want := range []cache.Outcome{cache.Minted, cache.Fresh} {
		o := serve(t, c, store, time.Now, requestFor(t, theirs+"/app"))
		grant, err := world.ReadToken(o.Response.Password.Reveal())
		if o.Err != nil || err != nil || grant.Account() != fakeaws.NodeAccount || o.Lease.Outcome != want {
			t.Fatalf("%s token of %+v, %v, %v", o.Lease.Outcome, grant, o.Err, err)
		}
		if o.Identity() != "the node" || o.Response.CacheDuration > 5*time.Minute {
			t.Errorf("identity %q, kept for %s", o.Identity(), o.Response.CacheDuration)
		}
		if notes := strings.Join(o.Notes, "; "); !strings.Contains(notes, "as whenRefused of registries[0] says") {
			t.Errorf("notes: %s", notes)
		}
	}
}

// TestServePublic: after any failure of ECR Public, the pull continues without a
// token.
func TestServePublic(t *testing.T) {
	t.Parallel()
	alone(t)
	c := mustLoad(t, oneHop)
	o := serve(t, c, nil, time.Now, requestFor(t, "public.ecr.aws/x/y"))
	if o.Err != nil || o.Response.AuthKey != "public.ecr.aws" || o.Response.Scope != kubelet.ForRegistry {
		t.Errorf("%+v, %v", o.Response, o.Err)
	}
	aws.Break(fakeaws.ECRPublic, fakeaws.Broken(0))
	o = serve(t, c, nil, time.Now, requestFor(t, "public.ecr.aws/x/y"))
	if o.Err != nil || o.Response.AuthKey != "" || o.Response.CacheDuration != 5*time.Minute || o.Anonymous == nil || len(o.Notes) > 0 {
		t.Errorf("%+v, notes %q, %v, %v", o.Response, o.Notes, o.Anonymous, o.Err)
	}
}

// TestOwnIsAskedOnce: 30 requests need the node's own account, and ask IMDS for it
// once.
func TestOwnIsAskedOnce(t *testing.T) {
	t.Parallel()
	alone(t)
	c := mustLoad(t, "registries:\n- accounts: [own]\n- accounts: [\"*\"]\n  exceptAccounts: [own]\n  assumeRoles:\n  - arn: arn:{partition}:iam::{account}:role/pull\n")
	store := newStore(t, time.Now)
	var wait sync.WaitGroup
	for range 30 {
		wait.Go(func() {
			o := serve(t, c, store, time.Now, requestFor(t, fakeaws.NodeAccount+".dkr.ecr.eu-west-1.amazonaws.com/app"))
			if o.Err != nil || o.Decision.Entry.Name != "registries[0]" {
				t.Errorf("entry %v, %v", o.Decision.Entry, o.Err)
			}
		})
	}
	wait.Wait()
	// Finding the account needs credentials (a token, the role's name, the
	// credentials), and the identity document with another token. The one mint
	// needs credentials.
	if n := len(aws.Calls(fakeaws.IMDS)); n > 12 {
		t.Errorf("%d requests of IMDS", n)
	}
	if n := len(aws.Calls(fakeaws.ECR)); n != 1 {
		t.Errorf("%d tokens were minted", n)
	}
}

// TestDecidedIsToldBeforeAWS: the log of a request that hangs at AWS shows its
// plan.
func TestDecidedIsToldBeforeAWS(t *testing.T) {
	t.Parallel()
	alone(t)
	var told provider.Outcome
	p := provider.Provider{
		Config: mustLoad(t, oneHop),
		AWS:    awsapi.Options{Timeouts: awsapi.DefaultTimeouts(), Now: time.Now, Random: func() float64 { return 0 }},
		Decided: func(o provider.Outcome) {
			if n := len(aws.Calls()); n > 0 {
				t.Errorf("%d calls were made before", n)
			}
			told = o
		},
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	o := p.Serve(ctx, requestFor(t, theirs+"/app"))
	if o.Err == nil || told.Registry != theirs || told.Decision.Entry.Name != "registries[0]" {
		t.Errorf("told %+v, then %v", told, o.Err)
	}
}

// TestNoteNamesThisRequest: two registries share a plan and its token. The note for
// each names its own registry and entry.
func TestNoteNamesThisRequest(t *testing.T) {
	t.Parallel()
	alone(t)
	const entry = "- accounts: [%q]\n  assumeRoles: [{arn: \"arn:aws:iam::444455556666:role/absent\"}]\n  whenRefused: Node\n"
	c := mustLoad(t, "registries:\n"+fmt.Sprintf(entry, "444455556666")+fmt.Sprintf(entry, "777788889999"))
	store := newStore(t, time.Now)
	for i, account := range []string{"444455556666", "777788889999"} {
		host := account + ".dkr.ecr.eu-west-1.amazonaws.com"
		o := serve(t, c, store, time.Now, requestFor(t, host+"/app"))
		want := fmt.Sprintf("using the node's identity for registry %s instead, as whenRefused of registries[%d] says", host, i)
		if notes := strings.Join(o.Notes, "; "); o.Err != nil || !strings.HasSuffix(notes, want) || strings.Count(notes, "dkr.ecr") != 1 {
			t.Errorf("%v, notes %s\nwant %s", o.Err, notes, want)
		}
	}
	if n := len(aws.Calls(fakeaws.ECR)); n != 1 {
		t.Errorf("%d tokens were minted, want one for both", n)
	}
}

// TestOwnOutlivesAnOutage: after a month, the node's own account is asked for
// again. AWS is unavailable then, and requests still succeed.
func TestOwnOutlivesAnOutage(t *testing.T) {
	t.Parallel()
	alone(t)
	clk := &clock{}
	c := mustLoad(t, "registries:\n- accounts: [own]\n")
	store := newStore(t, clk.now)
	image := fakeaws.NodeAccount + ".dkr.ecr.eu-west-1.amazonaws.com/app"
	for _, step := range []time.Duration{0, 30*24*time.Hour - 10*time.Minute, time.Hour} {
		clk.advance(step)
		world.SetSkew(clk.ahead)
		if step == time.Hour {
			for _, service := range []fakeaws.Service{fakeaws.IMDS, fakeaws.STS, fakeaws.ECR} {
				aws.Break(service, fakeaws.Broken(0))
			}
		}
		if o := serve(t, c, store, clk.now, requestFor(t, image)); o.Err != nil || o.Decision.Entry.Name != "registries[0]" {
			t.Fatalf("%s on: %v", step, o.Err)
		}
	}
}

// TestIdentityWithoutPlan: if the configuration yields no plan, the outcome names
// no identity.
func TestIdentityWithoutPlan(t *testing.T) {
	t.Parallel()
	c := mustLoad(t, "registries:\n- accounts: [\"444455556666\"]\n  source: ServiceAccount\n  serviceAccount: {allowedRoles: [\"arn:aws:iam::444455556666:role/*\"]}\n")
	o := serve(t, c, nil, time.Now, requestFor(t, theirs+"/app"))
	if o.Err == nil || o.Identity() != "" || o.Decision.Entry.Name != "registries[0]" {
		t.Errorf("identity %q, %v", o.Identity(), o.Err)
	}
}
