//go:build unix

package cache

import (
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestListAndClear(t *testing.T) {
	t.Parallel()
	n := newNode(t)
	s := n.open()
	// acquire requests a token, and returns the request that List should return.
	acquire := func(name string, answer error) Request {
		t.Helper()
		r := Request{Key: keyOf(name), Registry: name, Identity: "role"}
		n.err = answer
		_, _ = s.Acquire(t.Context(), r, n.ask) // the test checks the outcome with List
		return r
	}
	began := n.now()
	n.token.Life, n.token.Fresh = time.Hour, time.Hour
	expired := acquire("expired", nil)
	n.token.Life, n.token.Fresh = 12*time.Hour, 6*time.Hour
	unfresh, failing := acquire("d stale", nil), acquire("e stale and failing", nil)
	n.advance(7 * time.Hour)
	n.token.Note, n.token.Identity = "a note", "the node"
	fresh := acquire("b fresh", nil)
	fresh.Identity = n.token.Identity
	refused, off, down := acquire("a refused", errRefused), acquire("c misconfigured", errMisconfigured), acquire("f unavailable", errUnavailable)
	_ = acquire(failing.Registry, errUnavailable)
	write(t, filepath.Join(n.dir, keyOf("broken").String()), "{")
	write(t, filepath.Join(n.dir, "README"), "not a file of the cache")

	list, err := s.List()
	must(t, err)
	now := n.now()
	want := []Info{
		{Request: Request{Key: keyOf("broken")}, Problem: errDamaged.Error()},
		{Request: refused, Asked: now, State: "refused", Reason: errRefused.Error(), Again: now.Add(time.Minute)},
		{Request: fresh, Asked: now, State: "fresh", FreshUntil: now.Add(6 * time.Hour), Expires: now.Add(12 * time.Hour), Note: "a note", Used: now},
		{Request: off, Asked: now, State: "failed", Reason: errMisconfigured.Error(), Again: now.Add(time.Minute)},
		{Request: unfresh, Asked: began, State: "stale", FreshUntil: began.Add(6 * time.Hour), Expires: began.Add(12 * time.Hour), Age: 7 * time.Hour, Used: began},
		{
			Request: failing, Asked: now, State: "stale", FreshUntil: began.Add(6 * time.Hour), Expires: began.Add(12 * time.Hour), Age: 7 * time.Hour, Used: began,
			Reason: errUnavailable.Error(), Again: now.Add(time.Minute),
		},
		{Request: down, Asked: now, State: "failed", Reason: errUnavailable.Error(), Again: now.Add(3 * time.Second)},
	}
	if diff := cmp.Diff(want, list); diff != "" {
		t.Errorf("want -, got + (without %s):\n%s", expired.Registry, diff)
	}
	if cleared, err := s.Clear(); cleared != 8 || err != nil {
		t.Errorf("got %d cleared, %v; want 8", cleared, err)
	}
	if files := n.files(); !slices.Equal(files, []string{"README"}) {
		t.Errorf("got files %q, want README only", files)
	}
	n.err, n.calls = nil, 0
	n.want(Minted, 6*time.Hour, 1)
}
