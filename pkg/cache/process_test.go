//go:build unix

package cache

import (
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// burst starts many processes, has them pull at once, and gives what they said.
func burst(t *testing.T, dir string, count int) []string {
	t.Helper()
	var all []*child
	for range count {
		all = append(all, start(t, "pull", dir, nil))
	}
	for _, c := range all {
		c.expect("ready")
	}
	for _, c := range all {
		c.proceed()
	}
	var said []string
	for _, c := range all {
		for c.out.Scan() {
			said = append(said, c.out.Text())
		}
	}
	return said
}

// count counts the lines that begin so.
func count(lines []string, prefix string) int {
	n := 0
	for _, line := range lines {
		if strings.HasPrefix(line, prefix) {
			n++
		}
	}
	return n
}

// TestThirtyProcesses: one mint in all, on a cold node, and none on a warm one.
func TestThirtyProcesses(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for round, asked := range []int{1, 0} {
		said := burst(t, dir, 30)
		if count(said, "asking") != asked || count(said, "done") != 30 || len(said) != 30+asked {
			t.Errorf("round %d: %q", round, said)
		}
	}
}

func TestThirtyProcessesRefused(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write(t, filepath.Join(dir, "refused"), "")
	said := burst(t, dir, 30)
	if count(said, "asking") != 1 || count(said, "failed: "+errRefused.Error()) != 30 || len(said) != 31 {
		t.Errorf("%q", said)
	}
}

// TestKilledHolder: a process that is killed while it asks holds nobody up.
func TestKilledHolder(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	holder := start(t, "hang-long", dir, nil) // it promises an outcome in 30s
	holder.expect("asking")
	waiter := start(t, "pull", dir, nil)
	waiter.expect("ready")
	waiter.proceed()
	must(t, holder.cmd.Process.Kill())
	_ = holder.cmd.Wait()
	waiter.expect("asking") // it has 4s, and fails after that
	waiter.expect("done")
}

// TestStoppedProcess: one that is stopped holds others up until its promise is
// broken, and does no harm when it goes on.
func TestStoppedProcess(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	holder := start(t, "hang", dir, nil)
	holder.expect("asking")
	must(t, holder.cmd.Process.Signal(syscall.SIGSTOP))
	said := burst(t, dir, 10) // each has 4s, and fails after that
	if count(said, "asking") != 1 || count(said, "done") != 10 || len(said) != 11 {
		t.Errorf("%q", said)
	}
	must(t, holder.cmd.Process.Signal(syscall.SIGCONT))
	if said := burst(t, dir, 2); count(said, "done") != 2 || len(said) != 2 {
		t.Errorf("%q", said)
	}
}

// TestKilledAnywhere: processes that read and write are killed at any point.
// What the others get is whole and theirs, and so is what is left.
func TestKilledAnywhere(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s, err := openChild(filepath.Join(dir, "cache"))
	must(t, err)
	steady := start(t, "load", dir, nil)
	steady.expect("ready")
	for range 200 {
		victim := start(t, "load", dir, nil)
		victim.expect("ready")
		for end := time.Now().Add(time.Duration(rand.IntN(8000)) * time.Microsecond); time.Now().Before(end); {
			readAll(t, s)
		}
		must(t, victim.cmd.Process.Kill())
		for victim.out.Scan() {
			t.Fatalf("the child says %q", victim.out.Text())
		}
		_ = victim.cmd.Wait()
	}
	must(t, steady.cmd.Process.Kill())
	if steady.out.Scan() {
		t.Fatalf("the child says %q", steady.out.Text())
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
		r, err := s.read(key)
		if err != nil {
			t.Fatal(err)
		}
		if r != nil && r.Token != nil {
			must(t, checkPassword(key, r.Token.Password))
		}
	}
}

// TestReadOnly: where nothing can be written, what is there is used, and AWS
// asked for the rest.
func TestReadOnly(t *testing.T) {
	t.Parallel()
	c := start(t, "read-only", t.TempDir(), nil)
	checkUnwritable(t, c, "asking for "+request.Registry+" without the cache's lock: it can't be opened: permission denied",
		"the cache's entry for "+request.Registry+" is not written: permission denied")
}

// TestLimited: the system refuses to write more than so many bytes.
func TestLimited(t *testing.T) {
	t.Parallel()
	for limit, warned := range map[string][]string{
		"0": {
			"asking for " + request.Registry + " without the cache's lock: it can't be written: file too large",
			"the cache's entry for " + request.Registry + " is not written: file too large",
		},
		"100": {"the cache's entry for " + request.Registry + " is not written: file too large"},
	} {
		t.Run(limit, func(t *testing.T) {
			t.Parallel()
			checkUnwritable(t, start(t, "limited", t.TempDir(), func(cmd *exec.Cmd) {
				cmd.Env = append(cmd.Env, "CACHE_TEST_LIMIT="+limit)
			}), warned...)
		})
	}
}

// checkUnwritable wants a child that can't write to answer all the same.
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

// pullUnwritable pulls, and says how that ended, and how many entries and
// temporary files are there then.
func pullUnwritable(s *Store) error {
	a, err := (&node{token: Token{Username: "AWS", Password: "secret", Fresh: time.Hour, Life: time.Hour}}).pullFrom(s)
	if err != nil {
		return err
	}
	fmt.Println(a.Source)
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
