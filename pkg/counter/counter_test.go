//go:build unix

package counter_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"
	"time"

	"ecr-cross-account-credential-provider/pkg/counter"
)

// TestMain lets the test's binary also run as a process that counts.
func TestMain(m *testing.M) {
	if dir := os.Getenv("COUNT_IN"); dir != "" {
		os.Exit(count(dir))
	}
	os.Exit(m.Run())
}

const processes, each = 30, 600

// count counts requests of every outcome.
func count(dir string) int {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return 1
	}
	for i := range each {
		if err := counter.Add(root, counter.Outcome(i%6), time.Duration(i)*time.Millisecond); err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
	}
	return 0
}

func newDir(t testing.TB) *os.Root {
	t.Helper()
	root, err := os.OpenRoot(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = root.Close() })
	return root
}

func mustAdd(t testing.TB, dir *os.Root, o counter.Outcome, took time.Duration) {
	t.Helper()
	if err := counter.Add(dir, o, took); err != nil {
		t.Fatal(err)
	}
}

func mustRead(t *testing.T, dir *os.Root) counter.Totals {
	t.Helper()
	totals, err := counter.Read(dir)
	if err != nil {
		t.Fatal(err)
	}
	return totals
}

// TestProcesses: 30 processes count at once while another one adds records to the
// totals. No record is lost.
func TestProcesses(t *testing.T) {
	t.Parallel()
	dir := newDir(t)
	var running []*exec.Cmd
	for range processes {
		cmd := exec.Command(os.Args[0])
		cmd.Env, cmd.Stderr = []string{"COUNT_IN=" + dir.Name()}, os.Stderr
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		running = append(running, cmd)
	}
	ended := make(chan error, processes)
	for _, cmd := range running {
		go func() { ended <- cmd.Wait() }()
	}
	var last uint64
	for left := processes; left > 0; {
		select {
		case err := <-ended:
			if left--; err != nil {
				t.Fatal(err)
			}
		default:
			n := mustRead(t, dir).Count()
			if n < last {
				t.Fatalf("the count fell: got %d after %d", n, last)
			}
			last = n
		}
	}
	totals := mustRead(t, dir)
	for _, o := range counter.Outcomes() {
		if n := totals.Requests[o]; n != processes*each/6 {
			t.Errorf("got %d %s, want %d", n, o, processes*each/6)
		}
	}
	if want := uint64(processes * each * (each - 1) / 2 * 1000); totals.Micros != want {
		t.Errorf("got %d µs in total, want %d", totals.Micros, want)
	}
	if _, err := dir.Stat("totals"); err != nil {
		t.Errorf("no records were added to totals: %v", err)
	}
}

// TestBuckets: a duration is in the first bucket that is not shorter.
func TestBuckets(t *testing.T) {
	t.Parallel()
	dir := newDir(t)
	mustAdd(t, dir, counter.None, -time.Second)
	for _, bound := range counter.Buckets {
		mustAdd(t, dir, counter.Fresh, bound)
		mustAdd(t, dir, counter.Fresh, bound+time.Microsecond)
	}
	mustAdd(t, dir, counter.Failed, 1000*time.Hour)
	totals := mustRead(t, dir)
	for i, n := range totals.Took {
		if want := uint64(2); n != want {
			t.Errorf("got %[2]d in bucket %[1]d, want %[3]d", i, n, want)
		}
	}
}

// TestDamage puts something else in place of each file. Readable records still count.
// Add fails only if the file "requests" is unusable.
func TestDamage(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"requests", "requests.old", "totals"} {
		for what, place := range map[string]func(path string) error{
			"garbage": func(path string) error {
				return os.WriteFile(path, []byte("garbage\xc5\x00, more than a record"), 0o600)
			},
			"a directory":   func(path string) error { return os.Mkdir(path, 0o700) },
			"a pipe":        func(path string) error { return syscall.Mkfifo(path, 0o600) },
			"a link":        func(path string) error { return os.Symlink("/etc/passwd", path) },
			"no permission": func(path string) error { return os.WriteFile(path, nil, 0) },
		} {
			t.Run(name+" is "+what, func(t *testing.T) {
				t.Parallel()
				dir := newDir(t)
				if err := place(filepath.Join(dir.Name(), name)); err != nil {
					t.Fatal(err)
				}
				err := counter.Add(dir, counter.Minted, time.Second)
				totals, _ := counter.Read(dir) // its error is about the damage
				if (err == nil) != (totals.Requests[counter.Minted] == 1) {
					t.Errorf("got the count %d, and %v from Add; want 1 if Add returns no error, otherwise 0", totals.Requests[counter.Minted], err)
				}
				if name != "requests" && err != nil {
					t.Errorf("Add: got %v, want no error", err)
				}
			})
		}
	}
}

// TestLimit: counters that nothing reads use limited space.
func TestLimit(t *testing.T) {
	t.Parallel()
	dir := newDir(t)
	if err := os.WriteFile(filepath.Join(dir.Name(), "requests"), make([]byte, 1<<20), 0o600); err != nil {
		t.Fatal(err)
	}
	mustAdd(t, dir, counter.Fresh, 0)
	info, err := dir.Stat("requests")
	if err != nil || info.Size() != 1<<20 {
		t.Errorf("got %v, %v, want the size to stay 1 MiB", info, err)
	}
	if n := mustRead(t, dir).Count(); n != 0 {
		t.Errorf("got the count %d, want 0", n)
	}
	mustAdd(t, dir, counter.Fresh, 0)
	if n := mustRead(t, dir).Count(); n != 1 {
		t.Errorf("got the count %d after the records were added to totals, want 1", n)
	}
}

// TestString: each outcome has its own word.
func TestString(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for _, o := range counter.Outcomes() {
		if seen[o.String()] || o.String() == "" {
			t.Errorf("outcome %s has the word %q, want one of its own", strconv.Itoa(int(o)), o)
		}
		seen[o.String()] = true
	}
}

// BenchmarkAdd measures what counting adds to a request. The goal is 0.1 ms.
func BenchmarkAdd(b *testing.B) {
	dir := newDir(b)
	for i := 0; b.Loop(); i++ {
		mustAdd(b, dir, counter.Fresh, time.Millisecond)
		if i%100_000 == 0 {
			_ = dir.Remove("requests")
		}
	}
}
