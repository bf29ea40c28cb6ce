package requestlog_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"ecr-cross-account-credential-provider/pkg/cache"
	"ecr-cross-account-credential-provider/pkg/failure"
	"ecr-cross-account-credential-provider/pkg/kubelet"
	"ecr-cross-account-credential-provider/pkg/plan"
	"ecr-cross-account-credential-provider/pkg/provider"
	"ecr-cross-account-credential-provider/pkg/registry"
	"ecr-cross-account-credential-provider/pkg/requestlog"
	"ecr-cross-account-credential-provider/pkg/rule"
	"ecr-cross-account-credential-provider/pkg/trace"
	"ecr-cross-account-credential-provider/test/fakejournal"
)

const (
	host  = "444455556666.dkr.ecr.eu-west-1.amazonaws.com"
	image = host + "/app"
	role  = "arn:aws:iam::444455556666:role/ecr-pull"
)

// ticking is a clock that advances by a millisecond at each reading.
func ticking() func() time.Time {
	now := time.Date(2026, 3, 1, 3, 0, 0, 0, time.UTC)
	return func() time.Time {
		now = now.Add(time.Millisecond)
		return now
	}
}

// served is the outcome of a request for an image that one entry governs.
func served(outcome cache.Outcome, keep time.Duration) provider.Outcome {
	return provider.Outcome{
		Image: image, Registry: host,
		Decision: plan.Decision{Entry: &rule.Entry{Name: "registries[0]"}, Plan: plan.Plan{API: apiOf(image), Roles: []rule.Role{rule.NewRole(role, "{node}")}}},
		Lease:    cache.Lease{Outcome: outcome, Identity: role, Keep: keep},
		Response: kubelet.Response{Scope: kubelet.ForRegistry, AuthKey: host, CacheDuration: keep},
	}
}

func apiOf(name string) registry.API {
	parsed, _ := registry.Parse(name)
	return parsed.Registry().API()
}

// newEntry makes the log entry of an outcome that took 2 ms.
func newEntry(o provider.Outcome) requestlog.Entry {
	now := ticking()
	return requestlog.New(o, "", trace.Start(now), now())
}

// sent returns an entry as the journal receives it.
func sent(t *testing.T, e requestlog.Entry) fakejournal.Entry {
	t.Helper()
	journal := fakejournal.Start(t)
	e.ToJournal(t.Context(), journal.Socket, "test")
	return journal.Next(t)
}

type refused struct{ error }

func (refused) FailureClass() failure.Class { return failure.Refused }

func TestEntry(t *testing.T) {
	t.Parallel()
	const took = "; took 2ms"
	minted := served(cache.Minted, 54*time.Minute+10*time.Second)
	stale := served(cache.Stale, 5*time.Minute)
	stale.Notes = []string{"STS is down", "the disk is full"}
	node := served(cache.Minted, 5*time.Minute)
	node.Lease.Identity = "the node"
	others := provider.Outcome{Image: image, Registry: host, Response: kubelet.Empty(kubelet.ForRegistry, time.Hour)}
	notECR := provider.Outcome{Image: "example.com/app", Response: kubelet.Empty(kubelet.ForRegistry, time.Hour)}
	denied := served(cache.Minted, 0)
	denied.Lease, denied.Response, denied.Err = cache.Lease{}, kubelet.Response{}, fmt.Errorf("assuming role: %w", refused{errors.New("AccessDenied")})
	public := provider.Outcome{
		Image: "public.ecr.aws/x", Registry: "public.ecr.aws", Decision: plan.Decision{Entry: &rule.Entry{Name: "ECR Public"}, Plan: plan.Plan{API: apiOf("public.ecr.aws/x")}},
		Response: kubelet.Empty(kubelet.ForRegistry, 5*time.Minute), Anonymous: errors.New("throttled"),
	}
	skewed := minted
	skewed.Skew = -3 * time.Hour
	pod := minted
	pod.Decision.Plan.ServiceAccount = &plan.ServiceAccount{Claims: plan.Claims{Namespace: "shop", ServiceAccount: "web"}}
	tests := []struct {
		name    string
		outcome provider.Outcome
		want    fakejournal.Entry
	}{
		{"a token", minted, fakejournal.Entry{
			"PRIORITY": {"6"}, "MESSAGE": {image + ": minted token of " + role + " (registries[0]), kept for 54m10s" + took},
			"REGISTRY": {host}, "ENTRY": {"registries[0]"}, "IDENTITY": {role}, "OUTCOME": {"minted"}, "CACHE_DURATION": {"54m10s"},
		}},
		{"notes", stale, fakejournal.Entry{
			"PRIORITY": {"4"}, "MESSAGE": {image + ": stale token of " + role + " (registries[0]), kept for 5m" + took + "; STS is down; the disk is full"},
			"REGISTRY": {host}, "ENTRY": {"registries[0]"}, "IDENTITY": {role}, "OUTCOME": {"stale"}, "CACHE_DURATION": {"5m"}, "NOTE": {"STS is down; the disk is full"},
		}},
		{"the node instead of the role", node, fakejournal.Entry{
			"PRIORITY": {"6"}, "MESSAGE": {image + ": minted token of the node (registries[0]), kept for 5m" + took},
			"REGISTRY": {host}, "ENTRY": {"registries[0]"}, "IDENTITY": {"the node"}, "OUTCOME": {"minted"}, "CACHE_DURATION": {"5m"},
		}},
		{"a service account and a wrong clock", func() provider.Outcome { o := pod; o.Skew = skewed.Skew; return o }(), fakejournal.Entry{
			"PRIORITY": {"6"}, "MESSAGE": {image + ": minted token of " + role + " (registries[0]), kept for 54m10s" + took},
			"REGISTRY": {host}, "ENTRY": {"registries[0]"}, "IDENTITY": {role}, "SERVICE_ACCOUNT": {"shop/web"}, "OUTCOME": {"minted"},
			"CACHE_DURATION": {"54m10s"}, "CLOCK_SKEW": {"-3h0m0s"},
		}},
		{"left to others", others, fakejournal.Entry{
			"PRIORITY": {"6"}, "MESSAGE": {image + ": no credentials (unmatched: None), kept for 1h" + took},
			"REGISTRY": {host}, "ENTRY": {"unmatched: None"}, "OUTCOME": {"none"}, "CACHE_DURATION": {"1h"},
		}},
		{"ECR Public without a token", public, fakejournal.Entry{
			"PRIORITY": {"4"}, "IMAGE": {"public.ecr.aws/x"}, "REGISTRY": {"public.ecr.aws"}, "ENTRY": {"ECR Public"}, "IDENTITY": {"the node"},
			"MESSAGE": {"public.ecr.aws/x: no credentials (ECR Public), kept for 5m" + took + "; no token for ECR Public, so the pull is anonymous: throttled"},
			"OUTCOME": {"none"}, "CACHE_DURATION": {"5m"}, "NOTE": {"no token for ECR Public, so the pull is anonymous: throttled"},
		}},
		{"not ECR", notECR, fakejournal.Entry{
			"PRIORITY": {"6"}, "MESSAGE": {"example.com/app: no credentials (not Amazon ECR), kept for 1h" + took}, "IMAGE": {"example.com/app"},
			"OUTCOME": {"none"}, "CACHE_DURATION": {"1h"},
		}},
		{"refused", denied, fakejournal.Entry{
			"PRIORITY": {"3"}, "MESSAGE": {image + ": assuming role: AccessDenied" + took},
			"REGISTRY": {host}, "ENTRY": {"registries[0]"}, "IDENTITY": {role}, "OUTCOME": {"refused"}, "ERROR": {"assuming role: AccessDenied"}, "ERROR_CLASS": {"refused"},
		}},
		{"no request", provider.Outcome{Err: errors.New("no request")}, fakejournal.Entry{
			"PRIORITY": {"3"}, "MESSAGE": {"a request: no request" + took}, "OUTCOME": {"failed"}, "ERROR": {"no request"},
		}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			test.want["SYSLOG_IDENTIFIER"], test.want["DURATION_MS"] = []string{"test"}, []string{"2"}
			if test.want["IMAGE"] == nil && test.outcome.Image != "" {
				test.want["IMAGE"] = []string{image}
			}
			if diff := cmp.Diff(test.want, sent(t, newEntry(test.outcome))); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}

// TestEntryHasTheTrace: the entry has the steps' times and AWS's request IDs.
func TestEntryHasTheTrace(t *testing.T) {
	t.Parallel()
	now := ticking()
	tr := trace.Start(now)
	tr.Step("cache")()
	tr.Step("role_1")()
	tr.Answered("id-1")
	tr.Answered("id-2")
	got := sent(t, requestlog.New(served(cache.Minted, time.Hour), "", tr, now()))
	for name, want := range map[string][]string{"CACHE_MS": {"1"}, "ROLE_1_MS": {"1"}, "AWS_REQUEST_ID": {"id-1", "id-2"}} {
		if diff := cmp.Diff(want, got[name]); diff != "" {
			t.Errorf("%s (-want +got)\n%s", name, diff)
		}
	}
}

// TestClassOfOtherErrors: the caller's class counts for an error without a class.
func TestClassOfOtherErrors(t *testing.T) {
	t.Parallel()
	now := ticking()
	got := sent(t, requestlog.New(provider.Outcome{Err: errors.New("config.yaml:1: empty")}, "configuration", trace.Start(now), now()))
	if class := got.Get("ERROR_CLASS"); class != "configuration" {
		t.Errorf("got %q, want configuration", class)
	}
}

// TestHostile: with any texts, the entry has exactly its fields, in one line each,
// and fits into a datagram.
func TestHostile(t *testing.T) {
	t.Parallel()
	hostile := "x\nPRIORITY=0\r\nMESSAGE=\u2028all\x00is\x1b[31m well\xff\u202e" + strings.Repeat("x", 1<<14)
	o := provider.Outcome{
		Image: hostile, Registry: hostile, Decision: plan.Decision{Entry: &rule.Entry{Name: hostile}},
		Lease: cache.Lease{Identity: hostile}, Err: errors.New(hostile),
	}
	now := ticking()
	tr := trace.Start(now)
	for i := range 100 {
		o.Notes = append(o.Notes, hostile)
		tr.Answered(strings.Repeat("x", 64))
		tr.Step(fmt.Sprintf("role_%d", i))()
	}
	journal := fakejournal.Start(t)
	requestlog.New(o, "", tr, now()).ToJournal(t.Context(), journal.Socket, "test")
	raw, _ := journal.Raw()
	entry, err := fakejournal.Decode(raw)
	if err != nil || entry.Get("PRIORITY") != "3" || len(entry["MESSAGE"]) != 1 || len(raw) > 64<<10 {
		t.Errorf("got %d bytes, %v, priority %q; want one message of at most 64 KiB with priority 3", len(raw), err, entry.Get("PRIORITY"))
	}
	for name, texts := range entry {
		if !utf8.ValidString(texts[0]) || strings.ContainsAny(strings.Join(texts, ""), "\r\n\x00\x1b\u2028\u202e") {
			t.Errorf("%s is not plain text: %.100q", name, texts)
		}
	}
}
