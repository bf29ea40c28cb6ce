//go:build unix

package cache

import (
	"context"
	"crypto/sha256"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"ecr-cross-account-credential-provider/pkg/failure"
	"ecr-cross-account-credential-provider/pkg/secret"
)

// classError is an error of AWS, as Mint returns it.
type classError struct {
	text  string
	class failure.Class
}

func (e classError) Error() string               { return e.text }
func (e classError) FailureClass() failure.Class { return e.class }

// The errors that AWS may return.
var (
	errRefused       = classError{"AccessDenied: not authorized", failure.Refused}
	errMisconfigured = classError{"RegionDisabledException: off", failure.Misconfigured}
	errUnavailable   = classError{"no answer from sts.eu-west-1.amazonaws.com in time", failure.Unavailable}
	errCallers       = classError{"InvalidIdentityToken: expired", failure.CallersToken}
)

// node is a node with its own clock, and an AWS whose answers the test sets.
type node struct {
	t      *testing.T
	dir    string
	mu     sync.Mutex
	time   time.Time
	boot   string
	uptime time.Duration
	random float64
	warned []string
	// token and err are AWS's answer, and calls counts the calls.
	token Token
	err   error
	calls int
}

func newNode(t *testing.T) *node {
	t.Helper()
	return &node{t: t, dir: filepath.Join(tempDir(t), "cache"), time: noon, boot: "first", random: 0.5, token: tokenOf("secret-1")}
}

// tempDir returns a directory that only its owner can write, whatever the umask is.
func tempDir(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	must(t, os.Chmod(dir, 0o755))
	must(t, os.Chmod(filepath.Dir(dir), 0o755))
	return dir
}

func tokenOf(s string) Token {
	return Token{Secret: secret.New(s), Fresh: 6 * time.Hour, Life: 12 * time.Hour}
}

func keyOf(name string) Key { return sha256.Sum256([]byte(name)) }

func (n *node) now() time.Time {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.time
}

// advance lets time pass.
func (n *node) advance(d time.Duration) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.time, n.uptime = n.time.Add(d), n.uptime+d
}

// set sets the wall clock, as an operator or NTP does.
func (n *node) set(by time.Duration) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.time = n.time.Add(by)
}

func (n *node) options() Options {
	return Options{
		Now:    n.now,
		Random: func() float64 { return n.random },
		Warn:   func(s string) { n.mu.Lock(); n.warned = append(n.warned, s); n.mu.Unlock() },
		Boot: Boot{
			ID:     func() string { n.mu.Lock(); defer n.mu.Unlock(); return n.boot },
			Uptime: func() time.Duration { n.mu.Lock(); defer n.mu.Unlock(); return n.uptime },
		},
	}
}

// open opens the cache like a new process of the plugin.
func (n *node) open() *Store {
	n.t.Helper()
	s, err := Open(n.dir, n.options())
	if err != nil {
		n.t.Fatal(err)
	}
	n.t.Cleanup(func() { _ = s.Close() })
	return s
}

var request = Request{Key: keyOf("request"), Registry: "444455556666.dkr.ecr.eu-west-1.amazonaws.com", Identity: "arn:aws:iam::444455556666:role/ecr-pull"}

func (n *node) ask(context.Context) (Token, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.calls++
	return n.token, n.err
}

// pull requests a token, like a new process.
func (n *node) pull() (Lease, error) {
	n.t.Helper()
	return n.open().Acquire(n.t.Context(), request, n.ask)
}

// want pulls, and checks the outcome and the number of calls since the last check.
func (n *node) want(outcome Outcome, keep time.Duration, calls int) Lease {
	n.t.Helper()
	l, err := n.pull()
	if err != nil {
		n.t.Fatalf("got error %v, want %s", err, outcome)
	}
	if !strings.HasPrefix(l.Secret.Reveal(), "secret-") {
		n.t.Fatalf("got token %q, want secret-…", l.Secret.Reveal())
	}
	if l.Outcome != outcome || l.Keep != keep || n.calls != calls {
		n.t.Fatalf("got %+v after %d calls, want %s, to keep for %s, after %d", l, n.calls, outcome, keep, calls)
	}
	n.calls = 0
	return l
}

// wantError pulls, and checks the error's text and the number of calls since the
// last check.
func (n *node) wantError(text string, calls int) {
	n.t.Helper()
	l, err := n.pull()
	if err == nil || err.Error() != text || n.calls != calls {
		n.t.Fatalf("got %+v, %v after %d calls, want %s after %d", l, err, n.calls, text, calls)
	}
	n.calls = 0
}

// wantWarned checks the warnings since the last check. Each want is part of one
// warning.
func (n *node) wantWarned(want ...string) {
	n.t.Helper()
	if len(n.warned) != len(want) {
		n.t.Fatalf("got warnings %q, want %d: %q", n.warned, len(want), want)
	}
	for i, w := range want {
		if !strings.Contains(n.warned[i], w) || strings.Contains(n.warned[i], "\n") {
			n.t.Errorf("got warning %q, want one line with %q in it", n.warned[i], w)
		}
	}
	n.warned = nil
}

func (n *node) file(suffix string) string { return filepath.Join(n.dir, request.Key.String()+suffix) }

func (n *node) files() []string {
	n.t.Helper()
	entries, err := os.ReadDir(n.dir)
	must(n.t, err)
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func write(t *testing.T, file, text string) {
	t.Helper()
	must(t, os.WriteFile(file, []byte(text), 0o600))
}
