package provider_test

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"ecr-cross-account-credential-provider/pkg/awsapi"
	"ecr-cross-account-credential-provider/pkg/cache"
	"ecr-cross-account-credential-provider/pkg/config"
	"ecr-cross-account-credential-provider/pkg/kubelet"
	"ecr-cross-account-credential-provider/pkg/provider"
	"ecr-cross-account-credential-provider/test/fakeaws"
)

// refreshed calls Refresh like a new process.
func refreshed(t *testing.T, c config.Config, store *cache.Store, now func() time.Time) []provider.Refreshed {
	t.Helper()
	p := provider.Provider{
		Config: c, Cache: store, Hostname: "host-1",
		AWS: awsapi.Options{
			Timeouts: awsapi.DefaultTimeouts().Patient(time.Minute), Now: now, Random: func() float64 { return 0.5 }, Environ: os.Environ(),
			Profile: c.Node.Profile, ConfigFile: c.Node.ConfigFile,
		},
	}
	done, err := p.Refresh(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return done
}

// refresh calls Refresh like a new process, and returns a line for each plan.
func refresh(t *testing.T, c config.Config, store *cache.Store, now func() time.Time) []string {
	t.Helper()
	var lines []string
	for _, r := range refreshed(t, c, store, now) {
		what := r.Token.State
		switch {
		case r.Err != nil:
			what = "failed"
		case r.Skipped != "":
			what = "skipped"
		case r.Minted:
			what = "minted"
		}
		lines = append(lines, fmt.Sprintf("%s %s", what, strings.ReplaceAll(r.Registry, ".amazonaws.com", "")))
	}
	return lines
}

const (
	firstHere   = "444455556666.dkr.ecr.eu-west-1"
	secondThere = "777788889999.dkr.ecr.eu-central-1"
)

const firstEntry = "registries:\n- accounts: [\"444455556666\"]\n  assumeRoles:\n  - arn: arn:aws:iam::444455556666:role/ecr-pull\n"

// TestRefreshPlans: Refresh executes the plans that are known in advance. A later
// request for an image of such a plan makes no call.
func TestRefreshPlans(t *testing.T) { //nolint:paralleltest // alone
	alone(t)
	tests := []struct {
		name, config string
		want         []string
	}{
		{"no region: that of the node", firstEntry, []string{"minted " + firstHere}},
		{"a region by name", firstEntry + "  regions: [eu-central-1]\n", []string{"minted 444455556666.dkr.ecr.eu-central-1"}},
		{"a pattern that matches the node's region", firstEntry + "  regions: [\"eu-*\"]\n", []string{"minted " + firstHere}},
		{"a pattern that does not match the node's region", firstEntry + "  regions: [\"us-*\"]\n", nil},
		{"own", "registries:\n- accounts: [own]\n", []string{"minted 111122223333.dkr.ecr.eu-west-1"}},
		{
			"two accounts, one plan, and two regions", "registries:\n- accounts: [\"444455556666\", \"777788889999\"]\n  regions: [eu-west-1, eu-north-1]\n",
			[]string{"minted " + firstHere, "minted 444455556666.dkr.ecr.eu-north-1"},
		},
		{"repositories", firstEntry + "  repositories: [team-a/]\n", nil},
		{"all accounts", "registries:\n- accounts: [\"*\"]\n", nil},
		{
			"a service account", "registries:\n- accounts: [\"444455556666\"]\n  source: ServiceAccount\n  serviceAccount:\n    allowedRoles: [\"arn:aws:iam::444455556666:role/*\"]\n",
			[]string{"skipped registries[0]"},
		},
		{
			"a service account of another entry governs",
			firstEntry + "- accounts: [\"444455556666\"]\n  regions: [eu-west-1]\n  source: ServiceAccount\n  serviceAccount:\n    allowedRoles: [\"arn:aws:iam::444455556666:role/*\"]\n",
			[]string{"skipped registries[1]"},
		},
		{"another entry governs", firstEntry + "  regions: [\"eu-*\"]\n- accounts: [\"444455556666\"]\n  regions: [eu-west-1]\n", []string{"minted " + firstHere}},
		{"a role of another partition", "registries:\n- accounts: [\"444455556666\"]\n  assumeRoles:\n  - arn: arn:aws-cn:iam::444455556666:role/ecr-pull\n", nil},
		{"every name fits a prefix", firstEntry + "- accounts: [\"444455556666\"]\n  repositories: [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q, r, s, t, u, v, w, x, y, z, \"0\", \"1\", \"2\", \"3\", \"4\", \"5\", \"6\", \"7\", \"8\", \"9\"]\n", nil},
	}
	for _, test := range tests { //nolint:paralleltest // alone
		t.Run(test.name, func(t *testing.T) {
			c, store := mustLoad(t, test.config), newStore(t, time.Now)
			got := refresh(t, c, store, time.Now)
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Error(diff)
			}
			aws.Forget()
			for _, line := range got {
				what, host, _ := strings.Cut(line, " ")
				if what != "minted" {
					continue
				}
				if o := serve(t, c, store, time.Now, requestFor(t, host+".amazonaws.com/zz/app")); o.Err != nil || o.Lease.Outcome != cache.Fresh {
					t.Errorf("%s is not served from the cache: %s, %v", host, o.Lease.Outcome, o.Err)
				}
			}
			if calls := aws.Calls(); len(calls) > 0 {
				t.Errorf("requests call AWS: %v", calls)
			}
		})
	}
}

// TestRefreshUsed: tokens that requests have used within a day are refreshed, as
// long as the configuration still has the same plan. Tokens of ECR Public are not.
func TestRefreshUsed(t *testing.T) { //nolint:paralleltest // alone
	alone(t)
	clock := &clock{}
	c := mustLoad(t, firstEntry+"  repositories: [team-a/]\n")
	store := newStore(t, clock.now)
	other := mustLoad(t, firstEntry+"    externalID: other\n  repositories: [team-a/]\n")
	for _, image := range []string{firstHere + ".amazonaws.com/team-a/app", secondThere + ".amazonaws.com/shop", "public.ecr.aws/x/y"} {
		if o := serve(t, c, store, clock.now, requestFor(t, image)); o.Err != nil {
			t.Fatal(o.Err)
		}
	}
	for _, step := range []struct {
		name   string
		after  time.Duration
		config config.Config
		want   []string
	}{
		{"not due", 0, c, []string{"fresh " + firstHere, "fresh " + secondThere, "skipped public.ecr.aws"}},
		{"due", 46 * time.Minute, c, []string{"minted " + firstHere, "minted " + secondThere, "skipped public.ecr.aws"}},
		{"due again", 46 * time.Minute, c, []string{"minted " + firstHere, "minted " + secondThere, "skipped public.ecr.aws"}},
		{"another configuration", 0, other, []string{"fresh " + secondThere, "skipped public.ecr.aws"}},
		{"unmatched is left to others", 0, mustLoad(t, strings.ReplaceAll(firstEntry, "444455556666", "111122223333")+"  repositories: [other/]\nunmatched: None\n"), []string{"skipped public.ecr.aws"}},
	} {
		clock.advance(step.after)
		got := refresh(t, step.config, store, clock.now)
		slices.Sort(got)
		if diff := cmp.Diff(step.want, got); diff != "" {
			t.Errorf("%s: %s", step.name, diff)
		}
	}
	for range 30 { // refresh keeps the tokens alive, but does not use them
		clock.advance(46 * time.Minute)
		refresh(t, c, store, clock.now)
	}
	if got := refresh(t, c, store, clock.now); len(got) > 0 {
		t.Errorf("not used for a day: got %q, want nothing", got)
	}
}

// TestRefreshStock: without a configuration, the node's own tokens are refreshed if
// they were used. Those of service accounts are not.
func TestRefreshStock(t *testing.T) { //nolint:paralleltest // alone
	alone(t)
	c, store := config.Default(), newStore(t, time.Now)
	world.SetRole(fakeaws.Role{ARN: "arn:aws:iam::444455556666:role/ecr-pod", Trust: []fakeaws.Trust{{Principal: "system:serviceaccount:shop:web"}}})
	for _, request := range []kubelet.Request{
		requestFor(t, firstHere+".amazonaws.com/app"),
		podRequest(t, secondThere+".amazonaws.com/app", "shop", "web", "arn:aws:iam::444455556666:role/ecr-pod"),
	} {
		if o := serve(t, c, store, time.Now, request); o.Err != nil {
			t.Fatal(o.Err)
		}
	}
	if diff := cmp.Diff([]string{"skipped " + secondThere, "fresh " + firstHere}, refresh(t, c, store, time.Now)); diff != "" {
		t.Error(diff)
	}
}

// TestRefreshReportsErrors: an error is reported, even if other plans are silent in
// the same place.
func TestRefreshReportsErrors(t *testing.T) {
	alone(t)
	store := newStore(t, time.Now)
	c := mustLoad(t, firstEntry+"  repositories: [team-a/]\n")
	if o := serve(t, c, store, time.Now, requestFor(t, firstHere+".amazonaws.com/team-a/app")); o.Err != nil {
		t.Fatal(o.Err)
	}
	own := mustLoad(t, strings.Replace(firstEntry, "registries:\n", "node: {profile: north}\nregistries:\n- accounts: [own]\n  repositories: [team-b/]\n", 1))
	aws.Break(fakeaws.IMDS, fakeaws.Broken(0))
	if diff := cmp.Diff([]string{"failed registries[1]"}, refresh(t, own, newStore(t, time.Now), time.Now)); diff != "" {
		t.Errorf("the node's account is not known: %s", diff)
	}
	t.Setenv("AWS_CONFIG_FILE", t.TempDir())
	if diff := cmp.Diff([]string{"failed " + firstHere}, refresh(t, c, store, time.Now)); diff != "" {
		t.Errorf("the AWS configuration is a directory: %s", diff)
	}
}

// TestRefreshElsewhere: without a file, a node's token of another environment is not
// taken for that of a service account.
func TestRefreshElsewhere(t *testing.T) {
	alone(t)
	c, store := config.Default(), newStore(t, time.Now)
	if o := serve(t, c, store, time.Now, requestFor(t, firstHere+".amazonaws.com/app")); o.Err != nil {
		t.Fatal(o.Err)
	}
	t.Setenv("AWS_PROFILE", "north")
	const want = "a request with other AWS settings got it"
	if got := refreshed(t, c, store, time.Now); len(got) != 1 || !strings.HasPrefix(got[0].Skipped, want) {
		t.Errorf("got %+v, want one, skipped because %s", got, want)
	}
}

// TestRefreshDark: while AWS is down, requests on a refreshed node succeed for 10
// hours. Refresh reports the failures.
func TestRefreshDark(t *testing.T) { //nolint:paralleltest // alone
	alone(t)
	clock := &clock{}
	c, store := mustLoad(t, firstEntry+"- accounts: [own]\n"), newStore(t, clock.now)
	refresh(t, c, store, clock.now)
	clock.advance(54 * time.Minute) // the highest age of a token
	for _, service := range []fakeaws.Service{fakeaws.IMDS, fakeaws.STS, fakeaws.ECR} {
		aws.Break(service, fakeaws.Broken(0))
	}
	for round := range 12 {
		for _, host := range []string{firstHere, "111122223333.dkr.ecr.eu-west-1"} {
			o := serve(t, c, store, clock.now, requestFor(t, fmt.Sprintf("%s.amazonaws.com/app%d", host, round)))
			if o.Err != nil || o.Response.Password.IsZero() {
				t.Fatalf("round %d: got %v, want a token", round, o.Err)
			}
		}
		if round == 0 {
			continue
		}
		got := refresh(t, c, store, clock.now)
		if len(got) == 0 || slices.ContainsFunc(got, func(line string) bool { return !strings.HasPrefix(line, "failed") }) {
			t.Errorf("round %d: got %q, want only failed", round, got)
		}
		clock.advance(time.Hour)
	}
}
