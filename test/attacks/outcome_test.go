//go:build linux

package attacks_test

import (
	"encoding/json"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"ecr-cross-account-credential-provider/test/fakeaws"
)

// class is a kind of outcome.
type class int

const (
	// granted is a response with the token of a role.
	granted class = iota
	// empty is a response without credentials.
	empty
	// failed is exit status 1, one line on stderr and nothing on stdout.
	failed
	// misconfigured is like failed, with exit status 2.
	misconfigured
)

// outcome is the required outcome of a run.
type outcome struct {
	class class
	// role is the role of a granted token. Empty means pullRole.
	role string
	// keep limits the response's cacheDuration. 0 means no limit.
	keep time.Duration
	// says is a part of stderr.
	says string
}

// response is what the kubelet reads.
type response struct {
	APIVersion, Kind, CacheKeyType, CacheDuration string
	Auth                                          map[string]struct{ Username, Password string }
}

// want checks the outcome of a run, and looks for secrets.
func (n *node) want(got result, want outcome) {
	n.t.Helper()
	defer n.wantNoSecret(got)
	if !strings.Contains(got.stderr, want.says) {
		n.t.Errorf("stderr %q does not contain %q", brief(got.stderr), want.says)
	}
	if want.class == failed || want.class == misconfigured {
		n.wantFailure(got, int(want.class-failed)+1)
		return
	}
	var r response
	decoder := json.NewDecoder(strings.NewReader(got.stdout))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&r); got.status != 0 || err != nil {
		n.t.Errorf("exit %d, stdout %q (%v), stderr %q; want a response", got.status, brief(got.stdout), err, brief(got.stderr))
		return
	}
	keep, err := time.ParseDuration(r.CacheDuration)
	if err != nil || keep < 0 || want.keep > 0 && keep > want.keep {
		n.t.Errorf("cacheDuration %q (%v), want at most %s", r.CacheDuration, err, want.keep)
	}
	if owner := n.owner(r); owner != want.owner() {
		n.t.Errorf("got the token of %q, want that of %q; stderr %q", owner, want.owner(), brief(got.stderr))
	}
}

// owner returns the role whose token the outcome has, or "" if it has none.
func (o outcome) owner() string {
	switch {
	case o.class == empty:
		return ""
	case o.role == "":
		return pullRole
	}
	return o.role
}

// owner returns the role whose token a response has, or "" if it has none.
func (n *node) owner(r response) string {
	n.t.Helper()
	if len(r.Auth) > 1 {
		n.t.Errorf("%d keys in auth, want 1 at most", len(r.Auth))
	}
	for _, auth := range r.Auth {
		grant, err := n.aws.World.ReadToken(auth.Password)
		if err != nil {
			n.t.Errorf("a password is not a token: %v", err)
		}
		return grant.Role
	}
	return ""
}

// wantFailure checks that an error is one line of the program.
func (n *node) wantFailure(got result, status int) {
	n.t.Helper()
	if got.status != status || got.stdout != "" {
		n.t.Errorf("exit %d, %d bytes on stdout, stderr %q; want exit %d and nothing on stdout", got.status, len(got.stdout), brief(got.stderr), status)
	}
	if strings.ContainsAny(got.stderr, "\r\n\x00\x1b") || len(got.stderr) > 4096 || !strings.HasPrefix(got.stderr, module+": ") {
		n.t.Errorf("stderr is not one line of the program: %q", brief(got.stderr))
	}
}

// wantNoSecret looks for secrets on stderr, in the log and in the cache. Only the
// cache may have authorization tokens.
func (n *node) wantNoSecret(got result) {
	n.t.Helper()
	for _, mark := range append(fakeaws.SecretMarks(), n.secrets.all()...) {
		if strings.Contains(got.stderr, mark) {
			n.t.Errorf("stderr has a secret (%.12s…): %s", mark, brief(got.stderr))
		}
		for _, name := range []string{"log", "cache"} {
			if where := n.find(name, mark); where != "" && (name != "cache" || mark != tokenMark) {
				n.t.Errorf("%s has a secret (%.12s…)", where, mark)
			}
		}
	}
	if strings.Contains(got.stderr, "goroutine ") {
		n.t.Errorf("a panic: %s", got.stderr)
	}
}

// tokenMark is the prefix of authorization tokens.
const tokenMark = "ECRTOKEN"

// find returns the first file that contains text, below a name in the node's
// directory. It returns "" if there is none.
func (n *node) find(name, text string) (found string) {
	n.t.Helper()
	_ = filepath.WalkDir(n.path(name), func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return nil //nolint:nilerr // it may not exist, or another process may be removing it
		}
		f, err := os.Open(path)
		if err != nil {
			return nil //nolint:nilerr // another process may have removed it
		}
		defer f.Close() //nolint:errcheck // it is only read
		content, err := io.ReadAll(io.LimitReader(f, 4<<20))
		if err == nil && strings.Contains(string(content), text) {
			found = path
			return fs.SkipAll
		}
		return nil
	})
	return found
}

// wantCalls checks the number of calls that the services got.
func (n *node) wantCalls(want int, services ...fakeaws.Service) {
	n.t.Helper()
	if calls := n.aws.Calls(services...); len(calls) != want {
		n.t.Errorf("%d calls, want %d: %v", len(calls), want, calls)
	}
}

// brief returns the beginning of a long text.
func brief(s string) string {
	const most = 1000
	return s[:min(len(s), most)]
}
