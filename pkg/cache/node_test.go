//go:build unix

package cache

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// The errors that AWS may give.
var (
	errRefused     = errors.New("AccessDenied: not authorized")
	errUnavailable = errors.New("no answer from sts.eu-west-1.amazonaws.com in time")
	errCallers     = errors.New("InvalidIdentityToken: expired")
)

func verdict(err error) Verdict {
	switch {
	case errors.Is(err, errRefused):
		return Remember
	case errors.Is(err, errCallers):
		return Forget
	}
	return Transient
}

// node is a node with a clock of its own and an AWS that answers as it is told.
type node struct {
	t      *testing.T
	dir    string
	mu     sync.Mutex
	time   time.Time
	random float64
	warned []string
	// What AWS says.
	token Token
	err   error
	calls int
}

var boot = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func newNode(t *testing.T) *node {
	t.Helper()
	return &node{
		t: t, dir: filepath.Join(t.TempDir(), "cache"), time: boot, random: 0.5,
		token: Token{Username: "AWS", Password: "secret-1", Fresh: 6 * time.Hour, Life: 12 * time.Hour},
	}
}

func (n *node) now() time.Time {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.time
}

func (n *node) advance(d time.Duration) { n.mu.Lock(); n.time = n.time.Add(d); n.mu.Unlock() }

func (n *node) options() Options {
	return Options{
		Now:     n.now,
		Random:  func() float64 { return n.random },
		Verdict: verdict,
		Warn:    func(s string) { n.mu.Lock(); n.warned = append(n.warned, s); n.mu.Unlock() },
	}
}

// open is what a new process of the plugin does.
func (n *node) open() *Store {
	n.t.Helper()
	s, err := Open(n.dir, n.options())
	if err != nil {
		n.t.Fatal(err)
	}
	n.t.Cleanup(func() { _ = s.Close() })
	return s
}

var request = Request{Key: NewKey("rule", "source"), Registry: "444455556666.dkr.ecr.eu-west-1.amazonaws.com", Identity: "arn:aws:iam::444455556666:role/ecr-pull"}

func (n *node) ask(context.Context) (Token, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.calls++
	return n.token, n.err
}

// pull is one process that wants a token.
func (n *node) pull() (Answer, error) {
	n.t.Helper()
	return n.open().Do(n.t.Context(), request, n.ask)
}

// want checks how a pull ended, and how often AWS has been asked since the last
// time.
func (n *node) want(source Source, keep time.Duration, calls int) Answer {
	n.t.Helper()
	a, err := n.pull()
	if err != nil {
		n.t.Fatalf("got error %v", err)
	}
	if a.Username != "AWS" || !strings.HasPrefix(a.Password, "secret-") {
		n.t.Fatalf("got a wrong token")
	}
	if a.Source != source || a.Keep != keep || n.calls != calls {
		n.t.Fatalf("got %s after %d calls, want %s, to keep for %s, after %d", a, n.calls, source, keep, calls)
	}
	n.calls = 0
	return a
}

// wantError checks that a pull ended with an error of that text.
func (n *node) wantError(text string, calls int) {
	n.t.Helper()
	a, err := n.pull()
	if err == nil || err.Error() != text || n.calls != calls {
		n.t.Fatalf("got %s, %v after %d calls, want %s after %d", a, err, n.calls, text, calls)
	}
	n.calls = 0
}

// wantWarned checks the warnings since the last time; each want is a part of one.
func (n *node) wantWarned(want ...string) {
	n.t.Helper()
	if len(n.warned) != len(want) {
		n.t.Fatalf("warned %q, want %d: %q", n.warned, len(want), want)
	}
	for i, w := range want {
		if !strings.Contains(n.warned[i], w) || strings.Contains(n.warned[i], "\n") {
			n.t.Errorf("warned %q, want %q in it", n.warned[i], w)
		}
	}
	n.warned = nil
}

func (n *node) file(suffix string) string { return filepath.Join(n.dir, request.Key.String()+suffix) }

func (n *node) files() []string {
	n.t.Helper()
	entries, err := os.ReadDir(n.dir)
	if err != nil {
		n.t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}
