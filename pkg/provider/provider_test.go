package provider_test

import (
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
	c := mustLoad(t, oneHop+"  repositories: [team-a/]\nunmatched: None\nmirrors:\n- host: quay.io\n  registry: "+theirs+"/quay\n")
	for image, scope := range map[string]kubelet.Scope{
		"docker.io/library/nginx":                                     kubelet.ForRegistry,
		"444455556666.dkr.ecr.eu-west-1.amazonaws.com.evil.example/x": kubelet.ForRegistry,
		theirs + "/other":                                             kubelet.ForImage,
		"quay.io/" + strings.Repeat("a", 252):                         kubelet.ForImage, // too long for ECR, but not for the host
		"public.ecr.aws/x/y":                                          kubelet.ForRegistry,
	} {
		o := serve(t, c, nil, time.Now, requestFor(t, image))
		if o.Err != nil || o.Response.AuthKey != "" || !o.Response.Password.IsZero() || o.Response.CacheDuration != time.Hour || o.Response.Scope != scope {
			t.Errorf("%s: got %+v, %v, want an empty response for 1h with scope %s", image, o.Response, o.Err, scope)
		}
	}
	if calls := aws.Calls(); len(calls) > 0 {
		t.Errorf("got the calls %v, want none", calls)
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
			t.Errorf("%s: got %+v for %+v, %v, want a token of role/pull for %s", step.name, o.Response, grant, err, theirs)
		}
		if o.Response.CacheDuration <= 0 || o.Response.CacheDuration > time.Hour {
			t.Errorf("%s: cacheDuration is %s, want at most 1h", step.name, o.Response.CacheDuration)
		}
		if n := answered(); o.Lease.Outcome != step.outcome || n != step.calls {
			t.Errorf("%s: got %s with calls %v, want %s with %d", step.name, o.Lease.Outcome, aws.Calls(fakeaws.STS, fakeaws.ECR), step.outcome, step.calls)
		}
		if o.Identity() != "arn:aws:iam::444455556666:role/pull" {
			t.Errorf("%s: got identity %s, want role/pull", step.name, o.Identity())
		}
	}
}

// answered counts the calls to STS and ECR that succeeded. AWS refuses a call with a
// wrong date. The SDK then repeats it with the right one.
func answered() int {
	n := 0
	for _, call := range aws.Calls(fakeaws.STS, fakeaws.ECR) {
		if call.Outcome == "ok" {
			n++
		}
	}
	return n
}

// TestServeStale: while AWS is unavailable, requests get the old token if it is still
// valid.
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
		t.Fatalf("got %s, kept for %s: %v; want the stale token for at most 5m", o.Lease.Outcome, o.Response.CacheDuration, o.Err)
	}
	if notes := strings.Join(o.Notes, "; "); !strings.Contains(notes, "assuming role arn:aws:iam::444455556666:role/pull") {
		t.Errorf("got the notes %s, want the reason", notes)
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
			t.Fatalf("got %v, class %v, want only a refusal", o.Err, class)
		}
		if n := len(aws.Calls(fakeaws.STS)); n != calls {
			t.Errorf("got %d calls to STS, want %d", n, calls)
		}
	}
}

// TestServeRememberedOfAnotherRegistry: two registries with one plan share a refusal.
// The message names the registry of the request.
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
		t.Errorf("got %v, want an error about registry %s", o.Err, other)
	}
}

// TestServeFallsBack: with whenRefused: Node, the response holds the node's own token,
// for a short time. The outcome names the identity.
func TestServeFallsBack(t *testing.T) {
	t.Parallel()
	alone(t)
	c := mustLoad(t, strings.ReplaceAll(oneHop, "role/pull", "role/absent\n  whenRefused: Node"))
	store := newStore(t, time.Now)
	for _, want := range []cache.Outcome{cache.Minted, cache.Fresh} {
		o := serve(t, c, store, time.Now, requestFor(t, theirs+"/app"))
		grant, err := world.ReadToken(o.Response.Password.Reveal())
		if o.Err != nil || err != nil || grant.Account() != fakeaws.NodeAccount || o.Lease.Outcome != want {
			t.Fatalf("got a %s token of %+v, %v, %v; want one of the node's account", o.Lease.Outcome, grant, o.Err, err)
		}
		if o.Identity() != "the node" || o.Response.CacheDuration > 5*time.Minute {
			t.Errorf("got identity %q, kept for %s; want the node for at most 5m", o.Identity(), o.Response.CacheDuration)
		}
		if notes := strings.Join(o.Notes, "; "); !strings.Contains(notes, "as whenRefused of registries[0] says") {
			t.Errorf("got the notes %s, want whenRefused of registries[0] in them", notes)
		}
	}
}

// TestServeFallsBackInVain: if STS denies the role and the fallback fails, too, the denial
// counts. So the role's old token is not used any more.
func TestServeFallsBackInVain(t *testing.T) {
	t.Parallel()
	alone(t)
	const role = "arn:aws:iam::444455556666:role/revoked"
	world.SetRole(fakeaws.Role{ARN: role, Trust: []fakeaws.Trust{{Principal: fakeaws.NodeAccount}}})
	c, clk := mustLoad(t, strings.ReplaceAll(oneHop, "role/pull", "role/revoked\n  whenRefused: Node")), &clock{}
	store := newStore(t, clk.now)
	if o := serve(t, c, store, clk.now, requestFor(t, theirs+"/app")); o.Err != nil || o.Identity() != role {
		t.Fatalf("got a token of %q, %v; want one of %s", o.Identity(), o.Err, role)
	}
	clk.advance(2 * time.Hour) // the token is stale
	world.SetSkew(clk.ahead)
	aws.Break(fakeaws.STS, fakeaws.Denied())
	aws.Break(fakeaws.ECR, fakeaws.Broken(0))
	for _, again := range []string{"", "asked again in"} {
		o := serve(t, c, store, clk.now, requestFor(t, theirs+"/app"))
		if class, _ := failure.Of(o.Err); class != failure.Refused || !strings.Contains(o.Err.Error(), again) || !strings.Contains(o.Err.Error(), "and before that, ") {
			t.Errorf("got %v, class %v; want both errors, as a refusal", o.Err, class)
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
		t.Errorf("got %+v, %v, want credentials for public.ecr.aws", o.Response, o.Err)
	}
	aws.Break(fakeaws.ECRPublic, fakeaws.Broken(0))
	o = serve(t, c, nil, time.Now, requestFor(t, "public.ecr.aws/x/y"))
	if o.Err != nil || o.Response.AuthKey != "" || o.Response.CacheDuration != 5*time.Minute || o.Anonymous == nil || len(o.Notes) > 0 {
		t.Errorf("got %+v, notes %q, %v, %v; want an empty response for 5m without notes", o.Response, o.Notes, o.Anonymous, o.Err)
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
				t.Errorf("got entry %v, %v, want registries[0]", o.Decision.Entry, o.Err)
			}
		})
	}
	wait.Wait()
	// Finding the account takes requests for credentials (a token, the role's name, the
	// credentials), and for the identity document with another token. Minting the token
	// takes requests for credentials again.
	if n := len(aws.Calls(fakeaws.IMDS)); n > 12 {
		t.Errorf("got %d requests to IMDS, want at most 12", n)
	}
	if n := len(aws.Calls(fakeaws.ECR)); n != 1 {
		t.Errorf("got %d new tokens, want 1", n)
	}
}

// TestDecidedIsCalledBeforeAWS: the log of a request that fails or hangs at AWS shows
// its plan.
func TestDecidedIsCalledBeforeAWS(t *testing.T) {
	t.Parallel()
	alone(t)
	var told provider.Outcome
	p := provider.Provider{
		Config: mustLoad(t, strings.Replace(oneHop, "role/pull", "role/absent", 1)),
		AWS:    awsapi.Options{Timeouts: awsapi.DefaultTimeouts().Patient(time.Minute), Now: time.Now, Random: func() float64 { return 0 }},
		Decided: func(o provider.Outcome) {
			if n := len(aws.Calls()); n > 0 {
				t.Errorf("got %d calls before Decided, want none", n)
			}
			told = o
		},
	}
	o := p.Serve(t.Context(), requestFor(t, theirs+"/app"))
	if o.Err == nil || told.Registry != theirs || told.Decision.Entry.Name != "registries[0]" {
		t.Errorf("Decided got %+v, then Serve returned %v; want the plan, then an error", told, o.Err)
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
			t.Errorf("got %v, notes %s\nwant %s", o.Err, notes, want)
		}
	}
	if n := len(aws.Calls(fakeaws.ECR)); n != 1 {
		t.Errorf("got %d new tokens, want one for both", n)
	}
}

// TestOwnOutlivesAnOutage: after a month, the plugin asks for the node's own account
// again. AWS is unavailable then, but requests still succeed.
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
			t.Fatalf("after another %s: %v", step, o.Err)
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
		t.Errorf("got identity %q, %v, want an error without an identity", o.Identity(), o.Err)
	}
}
