//go:build unix

package cli

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"ecr-cross-account-credential-provider/pkg/cache"
	"ecr-cross-account-credential-provider/pkg/failure"
)

// refusal is an error like one of STS.
type refusal struct{}

func (refusal) Error() string               { return "no luck" }
func (refusal) FailureClass() failure.Class { return failure.Refused }

// TestCacheListJSON: the output has no token, and times only if they exist. It is
// [] without entries.
func TestCacheListJSON(t *testing.T) {
	t.Parallel()
	directory := filepath.Join(t.TempDir(), "cache")
	inDirectory := func(p *Process) { p.DefaultCache = directory }
	if got := runMain(t, inDirectory, "cache", "list", "--output", "json"); got != (output{0, "[]\n", ""}) {
		t.Errorf("no directory: got %+v; want []", got)
	}
	store, err := cache.Open(directory, cache.Options{Now: time.Now, Random: func() float64 { return 0 }})
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close() //nolint:errcheck // the test is over
	key := cache.Key{1}
	_, err = store.Acquire(t.Context(), cache.Request{Key: key, Registry: "registry", Identity: "role"}, func(context.Context) (cache.Token, error) { return cache.Token{}, refusal{} })
	if err == nil {
		t.Fatal("got no error; want a refusal")
	}
	if err := os.WriteFile(filepath.Join(directory, cache.Key{2}.String()), []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	got := runMain(t, inDirectory, "cache", "list", "--output", "json")
	var list []map[string]string
	if err := json.Unmarshal([]byte(got.stdout), &list); err != nil || got.status != 0 || got.stderr != "" || len(list) != 2 {
		t.Fatalf("got %+v, error %v; want a list of 2 entries", got, err)
	}
	if damaged := list[0]; damaged["key"] != (cache.Key{2}).String() || damaged["state"] != "" || damaged["reason"] == "" {
		t.Errorf("got %v; want the key and a reason, without a state", damaged)
	}
	want := map[string]string{"key": key.String(), "registry": "registry", "identity": "role", "state": "refused", "reason": "no luck"}
	for field, value := range want {
		if list[1][field] != value || len(list[1]) != len(want) {
			t.Errorf("got %v, want %v", list[1], want)
		}
	}
	if got := runMain(t, inDirectory, "cache", "clear", "--output", "json"); got.status != 2 || !strings.Contains(got.stderr, "cache clear has no --output json") {
		t.Errorf("clear: got %+v; want a usage error", got)
	}
}
