//go:build unix

package metrics_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"ecr-cross-account-credential-provider/pkg/cache"
	"ecr-cross-account-credential-provider/pkg/counter"
	"ecr-cross-account-credential-provider/pkg/metrics"
)

func TestText(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	token := func(state, registry string, fresh, expires time.Duration) cache.Info {
		return cache.Info{Request: cache.Request{Registry: registry, Identity: "role", Renewable: true}, State: state, FreshUntil: now.Add(fresh), Expires: now.Add(expires), Used: now}
	}
	pods, unused, ahead := token("fresh", "pods", time.Hour, time.Hour), token("fresh", "unused", time.Hour, time.Hour), token("fresh", "ahead", time.Minute, time.Hour)
	before, after := token("stale", "changed", -time.Hour, time.Hour), token("fresh", "changed", time.Hour, 12*time.Hour)
	before.Asked, after.Asked = now.Add(-2*time.Hour), now
	pods.Renewable = false
	unused.Used, ahead.Used, ahead.Ahead = now.Add(-24*time.Hour), time.Time{}, true
	node := metrics.Node{Version: `v1 "x"`, Now: now, Tokens: []cache.Info{
		token("fresh", "b", time.Hour, 12*time.Hour),
		token("stale", "b", -time.Hour, time.Hour),
		token("fresh", "a", 90*time.Second, 2*time.Hour), pods, unused, ahead, before, after,
		{Request: cache.Request{Registry: "c", Identity: "role"}, State: "refused"},
		{Request: cache.Request{Registry: "damaged"}, Problem: "it is damaged"},
		{Request: cache.Request{Identity: "the node"}, State: "fresh", Expires: now.Add(time.Hour)},
	}}
	node.Totals.Requests = [6]uint64{1, 2, 3, 4, 5, 6}
	node.Totals.Took[0], node.Totals.Took[7], node.Totals.Took[len(counter.Buckets)] = 18, 2, 1
	node.Totals.Micros = 2_500_000
	var got []string
	for line := range strings.Lines(string(node.Text())) {
		if !strings.HasPrefix(line, "#") {
			got = append(got, strings.TrimSuffix(strings.TrimPrefix(line, "ecr_cross_account_"), "\n"))
		}
	}
	want := []string{
		`build_info{version="v1 \"x\""} 1`,
		`token_expires_in_seconds{registry="a",identity="role"} 7200`,
		`token_expires_in_seconds{registry="ahead",identity="role"} 3600`,
		`token_expires_in_seconds{registry="b",identity="role"} 3600`,
		`token_expires_in_seconds{registry="changed",identity="role"} 43200`,
		`token_fresh_for_seconds{registry="a",identity="role"} 90`,
		`token_fresh_for_seconds{registry="ahead",identity="role"} 60`,
		`token_fresh_for_seconds{registry="b",identity="role"} 0`,
		`token_fresh_for_seconds{registry="changed",identity="role"} 3600`,
		`refusal_remembered{registry="a",identity="role"} 0`,
		`refusal_remembered{registry="ahead",identity="role"} 0`,
		`refusal_remembered{registry="b",identity="role"} 0`,
		`refusal_remembered{registry="c",identity="role"} 1`,
		`refusal_remembered{registry="changed",identity="role"} 0`,
		`refusal_remembered{registry="pods",identity="role"} 0`,
		`refusal_remembered{registry="unused",identity="role"} 0`,
		`requests_total{outcome="minted"} 1`, `requests_total{outcome="fresh"} 2`, `requests_total{outcome="stale"} 3`,
		`requests_total{outcome="refused"} 4`, `requests_total{outcome="none"} 5`, `requests_total{outcome="failed"} 6`,
	}
	for i, le := range []string{"0.005", "0.01", "0.025", "0.05", "0.1", "0.25", "0.5", "1", "2.5", "5", "10", "20", "60", "+Inf"} {
		count := "18"
		if i >= 7 {
			count = "20"
		}
		if le == "+Inf" {
			count = "21"
		}
		want = append(want, `request_duration_seconds_bucket{le="`+le+`"} `+count)
	}
	want = append(want, "request_duration_seconds_sum 2.5", "request_duration_seconds_count 21")
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// TestWriteFile: WriteFile replaces a file atomically, and the collector can read it.
// It refuses a directory in which others may write.
func TestWriteFile(t *testing.T) {
	t.Parallel()
	parent := t.TempDir()
	for _, dir := range []string{parent, filepath.Dir(parent)} {
		if err := os.Chmod(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for _, test := range []struct {
		name string
		mode os.FileMode
		want string
	}{
		{"mine", 0o755, ""},
		{"group", 0o775, "others may write to directory"},
		{"everybody", 0o777, "others may write to directory"},
		{"sticky", 0o777 | os.ModeSticky, "others may write to directory"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			dir := filepath.Join(parent, test.name)
			if err := os.Mkdir(dir, 0o700); err != nil {
				t.Fatal(err)
			}
			if err := os.Chmod(dir, test.mode); err != nil {
				t.Fatal(err)
			}
			path := filepath.Join(dir, "x.prom")
			for _, text := range []string{"first", "second"} {
				err := metrics.WriteFile(path, []byte(text))
				if test.want == "" && err != nil || test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want)) {
					t.Fatalf("got %v, want %q", err, test.want)
				}
				if err != nil {
					continue
				}
				info, err := os.Stat(path)
				if got, _ := os.ReadFile(path); string(got) != text || err != nil || info.Mode() != 0o644 {
					t.Errorf("got %q, %v, %v, want %q with mode 0644", got, info, err, text)
				}
			}
			if files, _ := os.ReadDir(dir); len(files) > 1 {
				t.Errorf("got the files %v, want no temporary file", files)
			}
		})
	}
	if err := metrics.WriteFile(filepath.Join(parent, "absent", "x.prom"), nil); err == nil {
		t.Error("got no error for a directory that does not exist, want one")
	}
}
