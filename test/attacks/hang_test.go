//go:build linux

package attacks_test

import (
	"bytes"
	"cmp"
	"errors"
	"io"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"ecr-cross-account-credential-provider/test/fakeaws"
)

// A write lease makes a file behave like one on a mount that hangs. Opening it waits
// until the holder releases the lease, for 45 seconds at most.
const (
	setLease = 1024 // F_SETLEASE
	getLease = 1025 // F_GETLEASE
)

// lease makes opening a file hang until the end of the test. opening reports whether a
// process is waiting to open it.
func lease(t testing.TB, path string) (opening func() bool) {
	t.Helper()
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = f.Close() })
	if _, _, errno := syscall.Syscall(syscall.SYS_FCNTL, f.Fd(), setLease, syscall.F_WRLCK); errno != 0 {
		t.Fatal("taking a lease: ", errno)
	}
	return func() bool {
		kind, _, errno := syscall.Syscall(syscall.SYS_FCNTL, f.Fd(), getLease, 0)
		return errno == 0 && kind != syscall.F_WRLCK
	}
}

// TestHungFiles: if a file cannot be opened in time, the error comes within the
// deadline and names the step.
func TestHungFiles(t *testing.T) {
	t.Parallel()
	for setting, step := range map[string]string{
		"AWS_CONFIG_FILE": `step "sdk"`, "node.configFile": `step "sdk"`, "AWS_SHARED_CREDENTIALS_FILE": `step "sdk"`,
		"AWS_CA_BUNDLE": `step "sdk"`, "AWS_WEB_IDENTITY_TOKEN_FILE": `step "sdk"`,
	} {
		t.Run(setting, func(t *testing.T) {
			t.Parallel()
			n := newNode(t, assume)
			path := n.write("hung", "")
			n.set(setting, path)
			n.write("config.yaml", n.read("config.yaml")+"deadline: 10s\n")
			lease(t, path)
			n.want(n.pull(image), outcome{class: failed, says: step})
		})
	}
}

// stopping is a run of the plugin that a signal ends in one of the phases.
type stopping struct {
	*node
	cmd *exec.Cmd
	// reached reports whether the plugin is in the phase.
	reached func() bool
}

// phases are the phases of a run. None of them ends by itself.
var phases = map[string]func(s *stopping){
	"configuration": func(s *stopping) { s.reached = lease(s.t, s.path("config.yaml")) },
	"request": func(s *stopping) {
		stdin, err := s.cmd.StdinPipe()
		if err != nil {
			s.t.Fatal(err)
		}
		read := make(chan struct{})
		go func() {
			defer close(read)
			_, _ = io.WriteString(stdin, strings.Repeat(" ", 128<<10)) // more than a pipe holds
		}()
		s.reached = func() bool { return isClosed(read) }
	},
	"SDK's file": func(s *stopping) {
		s.set("AWS_CONFIG_FILE", s.write("aws", ""))
		s.reached = lease(s.t, s.path("aws"))
	},
	"credential_process": func(s *stopping) {
		s.runs("sleep 1000", "profile")
		s.reached = func() bool { _, err := os.Stat(s.path("runs")); return err == nil }
	},
	"IMDS": func(s *stopping) { s.hangs(fakeaws.IMDS) },
	"STS":  func(s *stopping) { s.hangs(fakeaws.STS) },
	"ECR":  func(s *stopping) { s.hangs(fakeaws.ECR) },
	"lock": func(s *stopping) {
		s.pull(image)
		path, _ := s.entry()
		if err := os.Remove(path); err != nil {
			s.t.Fatal(err)
		}
		s.reached = hold(s.t, path+".lock")
	},
	"stdout": func(s *stopping) {
		s.cmd.Stdout = fullPipe(s.t)
		s.reached = func() bool { return len(s.entries()) > 0 }
	},
}

func (s *stopping) hangs(service fakeaws.Service) {
	s.aws.Break(service, fakeaws.Fault{Kind: fakeaws.HangHeaders})
	s.reached = func() bool { return len(s.aws.Calls(service)) > 0 }
}

func isClosed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}

// hold takes the lock of a file. waiting reports whether a process waits for it.
func hold(t testing.TB, path string) (waiting func() bool) {
	t.Helper()
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = f.Close() })
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX); err != nil {
		t.Fatal(err)
	}
	var stat syscall.Stat_t
	if err := syscall.Fstat(int(f.Fd()), &stat); err != nil {
		t.Fatal(err)
	}
	return func() bool {
		locks, err := os.ReadFile("/proc/locks")
		for line := range strings.Lines(string(locks)) {
			if strings.Contains(line, "->") && strings.Contains(line, ":"+formatInt(stat.Ino)+" ") {
				return true
			}
		}
		return err != nil
	}
}

// fullPipe returns the writing end of a pipe that nobody reads.
func fullPipe(t testing.TB) *os.File {
	t.Helper()
	var ends [2]int
	if err := syscall.Pipe2(ends[:], syscall.O_CLOEXEC|syscall.O_NONBLOCK); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = syscall.Close(ends[0]) })
	chunk := bytes.Repeat([]byte("x"), 4096)
	for size := len(chunk); size > 0; {
		if _, err := syscall.Write(ends[1], chunk[:size]); errors.Is(err, syscall.EAGAIN) {
			size /= 2
		}
	}
	if err := syscall.SetNonblock(ends[1], false); err != nil {
		t.Fatal(err)
	}
	writer := os.NewFile(uintptr(ends[1]), "full pipe")
	t.Cleanup(func() { _ = writer.Close() })
	return writer
}

// stops maps a phase to a part of the error after a signal. In all other phases, that
// part is "stopped".
var stops = map[string]string{"lock": "waiting for another process", "credential_process": "signal received"}

// TestSignals: SIGTERM and SIGINT end the plugin in every phase, with one line, and
// leave no process behind.
func TestSignals(t *testing.T) {
	t.Parallel()
	for name, prepare := range phases {
		for _, signal := range []os.Signal{syscall.SIGTERM, syscall.SIGINT} {
			t.Run(name+" "+signal.String(), func(t *testing.T) {
				t.Parallel()
				s := &stopping{node: newNode(t, assume+"deadline: 50s\n")}
				s.cmd = s.command()
				prepare(s)
				s.cmd.Env = append(s.env, "ATTACKED_NODE="+s.dir)
				if s.cmd.Stdin == nil {
					s.cmd.Stdin = strings.NewReader(request(image))
				}
				end := s.start(s.cmd)
				wait(t, s.reached)
				if err := s.cmd.Process.Signal(signal); err != nil {
					t.Error(err)
				}
				s.want(end(), outcome{class: failed, says: cmp.Or(stops[name], "stopped")})
				s.wantNoChild()
			})
		}
	}
}

// TestKilled: a process that is killed while it waits for an AWS service leaves nothing
// that disturbs the next process.
func TestKilled(t *testing.T) {
	t.Parallel()
	for _, service := range []fakeaws.Service{fakeaws.IMDS, fakeaws.STS, fakeaws.ECR} {
		t.Run(string(service), func(t *testing.T) {
			t.Parallel()
			n := newNode(t, assume)
			n.aws.Break(service, fakeaws.Fault{Kind: fakeaws.HangHeaders})
			cmd := n.command()
			cmd.Stdin = strings.NewReader(request(image))
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			wait(t, func() bool { return len(n.aws.Calls(service)) > 0 })
			_ = cmd.Process.Kill()
			_ = cmd.Wait()
			n.aws.Mend(service)
			n.want(n.pull(image), outcome{})
		})
	}
}
