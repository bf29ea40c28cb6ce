package status_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	testclock "k8s.io/utils/clock/testing"

	"ecr-cross-account-credential-provider/cmd/ecr-pull-secrets/internal/status"
	"ecr-cross-account-credential-provider/cmd/ecr-pull-secrets/internal/token"
)

type replica struct {
	clock              *testclock.FakeClock
	leading, following bool
	tokens             []token.State
	*status.Status
}

func newReplica() *replica {
	r := &replica{clock: testclock.NewFakeClock(time.Unix(1_000_000, 0))}
	r.Status = status.New(status.Options{
		Clock: r.clock, Tokens: func() []token.State { return r.tokens },
		Leading: func() bool { return r.leading }, Following: func() bool { return r.following },
	})
	return r
}

func TestReady(t *testing.T) {
	t.Parallel()
	r := newReplica()
	if r.Ready() {
		t.Error("before anything: got ready, want not ready")
	}
	r.following = true
	if !r.Ready() {
		t.Error("standby: got not ready, want ready, or a rolling update never ends")
	}
	r.following, r.leading = false, true
	if r.Ready() {
		t.Error("leader before its first sync: got ready, want not ready")
	}
	r.Synced(3, 1)
	if !r.Ready() {
		t.Error("leader after its first sync: got not ready, want ready")
	}
}

func TestAlive(t *testing.T) {
	t.Parallel()
	r := newReplica()
	r.clock.Step(24 * time.Hour)
	if !r.Alive() {
		t.Error("standby: got not alive, want alive")
	}
	r.leading = true
	r.clock.Step(35 * time.Minute)
	if !r.Alive() {
		t.Error("new leader after 35 minutes: got not alive, want alive")
	}
	r.clock.Step(time.Second)
	if r.Alive() {
		t.Error("leader without a sync: got alive, want not alive")
	}
	r.Synced(1, 1)
	if !r.Alive() {
		t.Error("leader after a sync: got not alive, want alive")
	}
	r.clock.Step(36 * time.Minute)
	if r.Alive() {
		t.Error("leader long after its last sync: got alive, want not alive")
	}
}

func TestHandler(t *testing.T) {
	t.Parallel()
	r := newReplica()
	r.leading = true
	r.tokens = []token.State{
		{Key: "a.example.com/team-a/", Expires: r.clock.Now().Add(90 * time.Minute)},
		{Key: "b.example.com", Expires: r.clock.Now().Add(-time.Minute), Failing: errors.New("refused")},
	}
	r.Attempted(token.Attempt{Err: errors.New("no class")})
	r.Attempted(token.Attempt{})
	r.Failed()
	r.Wrote()
	r.Foreign(2)
	if code, _ := get(t, r, "/readyz"); code != http.StatusServiceUnavailable {
		t.Errorf("readyz: got %d, want %d", code, http.StatusServiceUnavailable)
	}
	r.Synced(300, 1)
	for _, path := range []string{"/readyz", "/livez"} {
		if code, body := get(t, r, path); code != http.StatusOK || body != "ok\n" {
			t.Errorf("%s: got %d %q, want ok", path, code, body)
		}
	}
	_, body := get(t, r, "/metrics")
	for _, want := range []string{
		`token_expiry_seconds{registry="a.example.com/team-a/"} 5400`, `token_expiry_seconds{registry="b.example.com"} 0`,
		`token_failing{registry="a.example.com/team-a/"} 0`, `token_failing{registry="b.example.com"} 1`,
		`failures_total{class="kubernetes"} 1`, `failures_total{class="unavailable"} 1`, `failures_total{class="refused"} 0`,
		"leader 1", "syncs_total 1", "last_sync_timestamp_seconds 1e+06", "namespaces 300", "namespaces_failing 1", "foreign_secrets 2", "writes_total 1",
	} {
		if !strings.Contains(body, "\necr_pull_secrets_"+want+"\n") {
			t.Errorf("got metrics without %s:\n%s", want, body)
		}
	}
	r.leading = false
	_, body = get(t, r, "/metrics")
	for _, want := range []string{"leader 0", "namespaces 0", "namespaces_failing 0"} {
		if !strings.Contains(body, "\necr_pull_secrets_"+want+"\n") {
			t.Errorf("former leader: got metrics without %s:\n%s", want, body)
		}
	}
}

func get(t *testing.T, r *replica, path string) (int, string) {
	t.Helper()
	answer := httptest.NewRecorder()
	r.Handler().ServeHTTP(answer, httptest.NewRequestWithContext(t.Context(), http.MethodGet, path, nil))
	return answer.Code, answer.Body.String()
}
