//go:build linux

package attacks_test

import (
	"os"
	"os/exec"
	"strings"
	"testing"
)

// counters are the files in which requests are counted.
var counters = []string{"requests", "requests.old", "totals", "totals.lock"}

// TestOddCounters: a counter's file that is none, or that hangs, neither fails a request
// nor says a word. The metrics of the node still come.
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
					t.Errorf("metrics: %+v", got)
				}
			})
		}
	}
}

// wantQuiet wants a token, and nothing on stderr.
func (n *node) wantQuiet(got result) {
	n.t.Helper()
	n.want(got, outcome{})
	if got.stderr != "" {
		n.t.Errorf("stderr %q", brief(got.stderr))
	}
}

// TestHungCounters: opening a counter's file hangs, and no request does.
func TestHungCounters(t *testing.T) {
	t.Parallel()
	n := newNode(t, assume)
	n.want(n.pull(image), outcome{})
	opening := lease(t, n.path("cache/requests"))
	got := n.pull(image) // want would look for secrets in the file, and hang
	if got.status != 0 || got.stderr != "" || !strings.Contains(got.stdout, `"`+registryHost+`":{"username":"AWS"`) {
		t.Errorf("got %+v", got)
	}
	if !opening() {
		t.Error("no process opens the file, so the test says nothing")
	}
}

// TestReadOnlyCounters: on a disk that has become read-only, a token of the cache is
// served all the same.
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
