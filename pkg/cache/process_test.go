//go:build unix

package cache

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
)

// burst starts many processes that pull at once, and returns their outputs.
func burst(t *testing.T, name, dir string, count int) []string {
	t.Helper()
	var all []*child
	for range count {
		all = append(all, startChild(t, name, dir, nil))
	}
	for _, c := range all {
		c.expect("ready")
	}
	for _, c := range all {
		c.proceed()
	}
	var said []string
	lines := make(chan string)
	var wait sync.WaitGroup
	for _, c := range all {
		wait.Go(func() {
			for c.out.Scan() {
				if c.out.Text() == "asking" {
					_, _ = c.in.Write([]byte("\n"))
				}
				lines <- c.out.Text()
			}
		})
	}
	go func() { wait.Wait(); close(lines) }()
	for line := range lines {
		said = append(said, line)
	}
	return said
}

// count counts the lines with a prefix.
func count(lines []string, prefix string) int {
	n := 0
	for _, line := range lines {
		if strings.HasPrefix(line, prefix) {
			n++
		}
	}
	return n
}

// TestThirtyProcesses: thirty processes need one mint if the cache is empty, and
// none after that.
func TestThirtyProcesses(t *testing.T) {
	t.Parallel()
	dir := tempDir(t)
	for round, asked := range []int{1, 0} {
		said := burst(t, "patient", dir, 30)
		if count(said, "asking") != asked || count(said, "done") != 30 || len(said) != 30+asked {
			t.Errorf("round %d: got %q, want %d that ask, and 30 that are done", round, said, asked)
		}
	}
}

func TestThirtyProcessesRefused(t *testing.T) {
	t.Parallel()
	dir := tempDir(t)
	write(t, filepath.Join(dir, "refused"), "")
	said := burst(t, "patient", dir, 30)
	if count(said, "asking") != 1 || count(said, "failed: "+errRefused.Error()) != 30 || len(said) != 31 {
		t.Errorf("got %q, want one that asks, and 30 refusals", said)
	}
}

// TestKilledHolder: a process that is killed while it asks does not delay the
// others.
func TestKilledHolder(t *testing.T) {
	t.Parallel()
	dir := tempDir(t)
	holder, waiter := startChild(t, "patient", dir, nil), startChild(t, "patient", dir, nil)
	holder.expect("ready")
	holder.proceed()
	holder.expect("asking")
	waiter.expect("ready")
	waiter.proceed()
	must(t, holder.cmd.Process.Kill())
	_ = holder.cmd.Wait()
	waiter.expect("asking") // long before half of its time is over
	waiter.proceed()
	waiter.expect("done")
}

// TestStoppedHolder: a stopped process delays others for half of their time, and
// does no harm when it continues.
func TestStoppedHolder(t *testing.T) {
	t.Parallel()
	dir := tempDir(t)
	holder := startChild(t, "patient", dir, nil)
	holder.expect("ready")
	holder.proceed()
	holder.expect("asking")
	must(t, holder.cmd.Process.Signal(syscall.SIGSTOP))
	said := burst(t, "impatient", dir, 10)
	if asked := count(said, "asking"); asked == 0 || count(said, "done") != 10 || len(said) != 10+asked {
		t.Errorf("got %q, want some that ask, and 10 that are done", said)
	}
	must(t, holder.cmd.Process.Signal(syscall.SIGCONT))
	if said := burst(t, "patient", dir, 2); count(said, "done") != 2 || len(said) != 2 {
		t.Errorf("got %q, want two that are done", said)
	}
	holder.proceed()
	holder.expect("done")
	if said := burst(t, "patient", dir, 2); count(said, "done") != 2 || len(said) != 2 {
		t.Errorf("got %q, want two that are done", said)
	}
}

// TestKilledAnywhere: the test kills processes at random moments while they read
// and write. The other processes get complete tokens of the right key, and the
// remaining files are complete too.
func TestKilledAnywhere(t *testing.T) {
	t.Parallel()
	dir := tempDir(t)
	s, err := openChild(filepath.Join(dir, "cache"))
	must(t, err)
	steady := startChild(t, "load", dir, nil)
	steady.expect("ready")
	for range 200 {
		victim := startChild(t, "load", dir, nil)
		victim.expect("ready")
		for range rand.IntN(20) {
			readAll(t, s)
		}
		must(t, victim.cmd.Process.Kill())
		for victim.out.Scan() {
			t.Fatalf("got output %q of the child, want none", victim.out.Text())
		}
		_ = victim.cmd.Wait()
	}
	must(t, steady.cmd.Process.Kill())
	if steady.out.Scan() {
		t.Fatalf("got output %q of the child, want none", steady.out.Text())
	}
	_ = steady.cmd.Wait()
	readAll(t, s)
	for _, key := range loadKeys() {
		must(t, loadOnce(s, key))
	}
}

func readAll(t *testing.T, s *Store) {
	t.Helper()
	for _, key := range loadKeys() {
		e, err := s.read(key, s.now())
		must(t, err)
		if e.Token != nil {
			must(t, checkWhole(key, e.Token.Secret.Reveal()))
		}
	}
}

// TestReadOnly: if the directory is read-only, a process warns, and asks AWS.
func TestReadOnly(t *testing.T) {
	t.Parallel()
	c := startChild(t, "read-only", tempDir(t), nil)
	checkUnwritable(t, c, "asking for "+request.Registry+" without the cache's lock: it cannot be opened: permission denied",
		"the cache's entry for "+request.Registry+" is not written: permission denied")
}

// TestLimited: if the system limits the size of files, a process warns, and asks
// AWS.
func TestLimited(t *testing.T) {
	t.Parallel()
	for limit, warned := range map[string][]string{
		"0":   {"the cache's entry for " + request.Registry + " is not written: file too large"},
		"100": {"the cache's entry for " + request.Registry + " is not written: file too large"},
	} {
		t.Run(limit, func(t *testing.T) {
			t.Parallel()
			checkUnwritable(t, startChild(t, "limited", tempDir(t), func(cmd *exec.Cmd) {
				cmd.Env = append(cmd.Env, "CACHE_TEST_LIMIT="+limit)
			}), warned...)
		})
	}
}

// checkUnwritable checks that a child warns and gets a token, although it cannot
// write.
func checkUnwritable(t *testing.T, c *child, warned ...string) {
	t.Helper()
	var said []string
	for c.out.Scan() {
		said = append(said, c.out.Text())
	}
	want := fmt.Sprintf("%q", append(append([]string{}, prefixAll("warned: ", warned)...), "minted", "left 0"))
	if got := fmt.Sprintf("%q", said); got != want {
		t.Errorf("got %s\nwant %s", got, want)
	}
}

func prefixAll(prefix string, lines []string) []string {
	for i := range lines {
		lines[i] = prefix + lines[i]
	}
	return lines
}

// pullUnwritable pulls. It prints the outcome, and the number of entries and
// temporary files that remain.
func pullUnwritable(s *Store) error {
	l, err := s.Acquire(context.Background(), request, (&node{token: tokenOf("secret")}).ask)
	if err != nil {
		return err
	}
	fmt.Println(l.Outcome)
	files, err := os.ReadDir(s.root.Name())
	if err != nil {
		return err
	}
	left := 0
	for _, f := range files {
		if !strings.Contains(f.Name(), ".lock") {
			left++
		}
	}
	fmt.Println("left", left)
	return nil
}
