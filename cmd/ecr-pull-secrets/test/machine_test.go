package test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
	"k8s.io/utils/clock"

	"ecr-cross-account-credential-provider/cmd/ecr-pull-secrets/internal/app"
	"ecr-cross-account-credential-provider/cmd/internal/process"
)

// The test binary also runs as the machine for the tests, and as the program.
const (
	asMachine = "ECR_PULL_SECRETS_TEST_MACHINE"
	asProgram = "ECR_PULL_SECRETS_TEST_PROGRAM"
)

// bin is the directory of etcd and kube-apiserver.
const bin = "../../../bin"

// TestMain runs the tests in a separate network, so that servers can have fixed
// addresses.
func TestMain(m *testing.M) {
	switch {
	case os.Getenv(asProgram) != "":
		ctx, stop := process.Context()
		defer stop()
		os.Exit(app.Main(ctx, process.Current(), clock.RealClock{})) //nolint:gocritic // nothing is left to clean up
	case os.Getenv(asMachine) != "":
		os.Exit(runTests(m))
	}
	os.Exit(startMachine())
}

// startMachine runs this binary again, in a new network. All its processes end with
// it.
func startMachine() int {
	for _, program := range []string{"etcd", "kube-apiserver", "helm", "kubectl", "pull-secrets-clock"} {
		if _, err := os.Stat(bin + "/" + program); err != nil {
			fmt.Fprintf(os.Stderr, "%v; run: make secrets\n", err)
			return 1
		}
	}
	runtime.LockOSThread() // the kernel ends the child when the thread that started it ends
	defer runtime.UnlockOSThread()
	cmd := exec.Command("/proc/self/exe", os.Args[1:]...)
	cmd.Env = append(withoutAWS(os.Environ()), asMachine+"=1", "AWS_REGION=eu-west-1", "AWS_EC2_METADATA_DISABLED=true",
		"AWS_CONFIG_FILE=/nonexistent", "AWS_SHARED_CREDENTIALS_FILE=/nonexistent")
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNET | syscall.CLONE_NEWPID, Pdeathsig: syscall.SIGKILL}
	if id := os.Getuid(); id != 0 {
		cmd.SysProcAttr.Cloneflags |= syscall.CLONE_NEWUSER
		cmd.SysProcAttr.UidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: id, Size: 1}}
		cmd.SysProcAttr.GidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getgid(), Size: 1}}
	}
	var exit *exec.ExitError
	switch err := cmd.Run(); {
	case err == nil:
		return 0
	case errors.As(err, &exit):
		return max(1, exit.ExitCode())
	default:
		fmt.Fprintln(os.Stderr, "starting the tests in a network of their own:", err)
		return 1
	}
}

// withoutAWS removes all variables that would change the SDK's configuration.
func withoutAWS(environ []string) (kept []string) {
	for _, v := range environ {
		name, _, _ := strings.Cut(v, "=")
		if !strings.HasPrefix(name, "AWS_") && !strings.HasSuffix(strings.ToUpper(name), "_PROXY") {
			kept = append(kept, v)
		}
	}
	return kept
}

func runTests(m *testing.M) int {
	if err := bringLoopbackUp(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	dir, err := os.MkdirTemp("", "ecr-pull-secrets")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir) //nolint:errcheck // a temporary directory
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	if err := startEtcd(ctx, dir); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	clusters.dir = dir
	return m.Run()
}

func bringLoopbackUp() error {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer unix.Close(fd) //nolint:errcheck // only a request was made with it
	up, err := unix.NewIfreq("lo")
	if err != nil {
		return err
	}
	up.SetUint16(unix.IFF_UP | unix.IFF_RUNNING)
	if err := unix.IoctlIfreq(fd, unix.SIOCSIFFLAGS, up); err != nil {
		return fmt.Errorf("bringing lo up: %w", err)
	}
	return nil
}
