//go:build linux

package attacks_test

import (
	"os"
	"os/exec"
	"strings"
	"testing"
)

// counters are the files that count requests.
var counters = []string{"requests", "requests.old", "totals", "totals.lock"}

// TestOddCounters: an odd file in place of a counter neither fails a request nor causes
// a message. The metrics command still works.
func TestOddCounters(t *testing.T) {
	t.Parallel()
	for _, odd := range oddFiles() {
		for _, name := range counters {
			t.Run(name+" is "+odd.name, func(t *testing.T) {
				t.Parallel()
				n := newNode(t, assume)
				n.want(n.pull(image), outcome{})
				n.place(odd, n.path("cache/"+name))
				n.wantQuiet(n.pull(image))
				if got := n.run("", "metrics"); got.status != 0 || !strings.Contains(got.stdout, "_info{") {
					t.Errorf("metrics: got %+v, want exit 0 and _info{", got)
				}
			})
		}
	}
}

// wantQuiet checks that a run gets a token and leaves stderr empty.
func (n *node) wantQuiet(got result) {
	n.t.Helper()
	n.want(got, outcome{})
	if got.stderr != "" {
		n.t.Errorf("stderr %q, want none", brief(got.stderr))
	}
}

// TestHungCounters: a counter whose opening hangs does not delay a request.
func TestHungCounters(t *testing.T) {
	t.Parallel()
	n := newNode(t, assume)
	n.want(n.pull(image), outcome{})
	opening := lease(t, n.path("cache/requests"))
	got := n.pull(image) // n.want would search the file for secrets, and hang
	if got.status != 0 || got.stderr != "" || !strings.Contains(got.stdout, `"`+registryHost+`":{"username":"AWS"`) {
		t.Errorf("got %+v, want a token and no stderr", got)
	}
	if !opening() {
		t.Error("no process opens the file, so the test proves nothing")
	}
}

// TestReadOnlyCounters: a token in the cache is served even if the disk has become
// read-only.
func TestReadOnlyCounters(t *testing.T) {
	t.Parallel()
	n := newNode(t, assume)
	n.want(n.pull(image), outcome{})
	cmd := n.command()
	const script = `mount --bind "$0" "$0" && mount -o remount,bind,ro "$0" && ! touch "$0/written" 2>/dev/null && exec "$@"`
	remounted := exec.Command("unshare", append([]string{"--user", "--map-root-user", "--mount", "sh", "-c", script, n.path("cache")}, cmd.Args...)...)
	remounted.Dir, remounted.Env = cmd.Dir, append(cmd.Env, "PATH="+os.Getenv("PATH"))
	remounted.Stdin = strings.NewReader(request(image))
	n.wantQuiet(n.finish(remounted))
	n.wantCalls(1, "sts")
}
