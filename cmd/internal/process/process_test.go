//go:build unix

package process_test

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"syscall"
	"testing"
	"time"

	"ecr-cross-account-credential-provider/cmd/internal/process"
)

// childVariable makes the test binary send signals to itself instead of running the
// tests.
const childVariable = "PROCESS_TEST_CHILD"

func TestMain(m *testing.M) {
	if os.Getenv(childVariable) != "" {
		signalMyself()
		return
	}
	os.Exit(m.Run())
}

// signalMyself closes a terminal, as it were. Then it sends one signal, waits for the
// context's end, and sends further signals. If none of them kills the process, it gives up
// after a minute.
func signalMyself() {
	ctx, stop := process.Context()
	defer stop()
	end := time.Now().Add(time.Minute)
	for range 2 {
		_ = syscall.Kill(os.Getpid(), syscall.SIGHUP)
	}
	if ctx.Err() == nil {
		fmt.Println("alive")
	}
	_ = syscall.Kill(os.Getpid(), syscall.SIGTERM)
	<-ctx.Done()
	fmt.Println("stopping")
	for time.Now().Before(end) {
		_ = syscall.Kill(os.Getpid(), syscall.SIGTERM)
	}
}

// TestSecondSignal: the first signal ends the context, and the next one kills the
// process. A terminal that closes does neither.
func TestSecondSignal(t *testing.T) {
	t.Parallel()
	executable, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), executable)
	cmd.Env = append(os.Environ(), childVariable+"=1")
	out, err := cmd.Output()
	exit, ok := errors.AsType[*exec.ExitError](err)
	if !ok || string(out) != "alive\nstopping\n" {
		t.Fatalf("got %q, %v; want alive, stopping, and the process killed", out, err)
	}
	if status, ok := exit.Sys().(syscall.WaitStatus); !ok || status.Signal() != syscall.SIGTERM {
		t.Errorf("got %v, want the process killed by SIGTERM", err)
	}
}
