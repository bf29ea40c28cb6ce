package provider_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"ecr-cross-account-credential-provider/pkg/kubelet"
	"ecr-cross-account-credential-provider/pkg/provider"
	"ecr-cross-account-credential-provider/test/fakeaws"
)

// TestCachedTokensAreTheRequestsOwn generates configurations and requests. All
// requests share one cache. Each gets a token that was minted by the same calls as
// without a cache: calls to the same STS and ECR, with the same value of every
// parameter. So no plan ever gets another plan's token.
func TestCachedTokensAreTheRequestsOwn(t *testing.T) {
	t.Parallel()
	alone(t)
	const seeds = 80
	configurations, hits := 0, 0
	for seed := range uint64(seeds) {
		g := generator{rand.New(rand.NewPCG(seed, 2))}
		c, err := load(t, g.configuration())
		if err != nil {
			continue // for example, entries of equal rank
		}
		configurations++
		now := (&clock{}).now
		store := newStore(t, now)
		minted := map[string][]string{} // the calls for each token
		for range 16 {
			request := g.request(t)
			c.Node.Profile = g.one("", "", "", "north", "south") // another configuration, with the same cache
			want, _ := callsOf(func() provider.Outcome { return serve(t, c, nil, now, request) })
			got, o := callsOf(func() provider.Outcome { return serve(t, c, store, now, request) })
			password := o.Response.Password.Reveal()
			if known, ok := minted[password]; ok && password != "" {
				got, hits = known, hits+1
			}
			minted[password] = got
			if o.Err != nil && len(got) == 0 {
				continue // a remembered refusal, or an error of the plan itself
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Fatalf("seed %d, image %s: the calls for the token differ (-without a cache +with):\n%s", seed, request.Image(), diff)
			}
		}
	}
	t.Logf("%d configurations, %d requests were served from the cache", configurations, hits)
	if configurations < seeds/4 || hits < 2*configurations {
		t.Errorf("want at least %d configurations, and at least 2 cached requests for each", seeds/4)
	}
}

// callsOf runs a function and returns its calls that decide about a token.
func callsOf(run func() provider.Outcome) ([]string, provider.Outcome) {
	aws.Forget()
	o := run()
	var calls []string
	for _, c := range aws.Calls(fakeaws.STS, fakeaws.ECR, fakeaws.ECRPublic) {
		if c.Operation != "GetCallerIdentity" {
			calls = append(calls, fmt.Sprintf("%s external ID %q", c, c.ExternalID))
		}
	}
	return calls, o
}

// generator makes random configurations and requests. It uses few values, so that
// the plans of two requests often differ in one field only.
type generator struct{ *rand.Rand }

func (g generator) one(of ...string) string { return of[g.IntN(len(of))] }
func (g generator) chance(n int) bool       { return g.IntN(n) == 0 }

func (g generator) configuration() string {
	var s strings.Builder
	s.WriteString("registries:\n")
	for range 1 + g.IntN(4) {
		s.WriteString(g.entry())
	}
	if g.chance(3) {
		s.WriteString("unmatched: None\n")
	}
	if g.chance(2) {
		fmt.Fprintf(&s, "sts: {region: %s}\n", g.one("Registry", "eu-west-3", "Node"))
	}
	if g.chance(4) {
		fmt.Fprintf(&s, "endpoints: {ecr: {eu-west-1: %q}, sts: {us-east-1: %q}}\n", aws.URL(fakeaws.ECR), aws.URL(fakeaws.STS))
	}
	return s.String()
}

func (g generator) entry() string {
	var s strings.Builder
	accounts := g.one(`["444455556666"]`, `["777788889999"]`, `["444455556666", "777788889999"]`, "[own]", `["*"]`)
	wild := accounts == `["*"]`
	fmt.Fprintf(&s, "- accounts: %s\n", accounts)
	if wild {
		s.WriteString("  exceptAccounts: [own, \"602401143452\"]\n")
	}
	if g.chance(3) {
		fmt.Fprintf(&s, "  regions: [%s]\n", g.one("eu-west-1", `"eu-*"`, `"us-*", eu-west-2`))
	}
	if g.chance(2) {
		fmt.Fprintf(&s, "  repositories: [%s]\n", g.one("team-a/", "team-b/", "team-a/, team-b/app"))
	}
	pods := g.chance(3)
	if pods {
		s.WriteString("  source: ServiceAccount\n  serviceAccount:\n    allowedRoles: [\"arn:aws:iam::444455556666:role/pod-*\"]\n")
		fmt.Fprintf(&s, "    whenNoToken: %s\n    whenNoRole: %s\n", g.one("Node", "Refuse"), g.one("Node", "Refuse"))
		if g.chance(2) {
			s.WriteString("    roleARN: \"arn:{partition}:iam::{account}:role/pod-default\"\n")
		}
	}
	if g.chance(5) {
		return s.String()
	}
	s.WriteString("  assumeRoles:\n")
	hops := 1 + g.IntN(2)
	for i := range hops {
		s.WriteString(g.role(i == hops-1, wild, pods))
	}
	if !pods && g.chance(2) {
		fmt.Fprintf(&s, "  whenRefused: %s\n", g.one("Node", "Fail"))
	}
	return s.String()
}

func (g generator) role(last, wild, pods bool) string {
	var s strings.Builder
	value := func() string {
		texts := []string{"fixed", "{node}", "{account}", "{region}", "x-{node}-{account}", "{region}{node}"}
		if pods {
			texts = append(texts, "{namespace}", "{serviceAccount}.{node}", "{namespace}-{serviceAccount}")
		}
		return g.one(texts...)
	}
	fmt.Fprintf(&s, "  - arn: %q\n", g.one("arn:aws:iam::444455556666:role/pull", "arn:aws:iam::444455556666:role/absent",
		"arn:{partition}:iam::{account}:role/pull", "arn:aws:iam::444455556666:role/{region}/pull-{account}"))
	if !wild && g.chance(2) {
		fmt.Fprintf(&s, "    externalID: %s\n", g.one("id-1", "id-2"))
	}
	if g.chance(2) {
		fmt.Fprintf(&s, "    sessionName: %q\n", "s-"+value())
	}
	if g.chance(2) {
		fmt.Fprintf(&s, "    duration: %s\n", g.one("15m", "30m", "1h"))
	}
	if !wild && g.chance(2) {
		fmt.Fprintf(&s, "    sessionTags: {team: %q, b: %q}\n", value(), value())
	}
	if last && g.chance(2) {
		fmt.Fprintf(&s, "    policy: %s\n", g.one("PullOnly", "PullThroughCache"))
	}
	return s.String()
}

func (g generator) request(t *testing.T) kubelet.Request {
	t.Helper()
	image := g.one("444455556666", "777788889999", "111122223333", "602401143452", "000000000012") +
		g.one(".dkr.ecr.", ".dkr.ecr.", ".dkr.ecr.", ".dkr.ecr-fips.") + g.one("eu-west-1", "us-east-1") + ".amazonaws.com/" + g.one("team-a/app", "team-b/app", "other")
	if g.chance(12) {
		image = g.one("public.ecr.aws/x/y", "ecr-public.aws.com/x/y")
	}
	if g.chance(2) {
		return requestFor(t, image)
	}
	return podRequest(t, image, g.one("shop", "office"), g.one("web", "batch"),
		g.one("", "arn:aws:iam::444455556666:role/pod-a", "arn:aws:iam::444455556666:role/pod-b", "arn:aws:iam::777788889999:role/pod-c"))
}
