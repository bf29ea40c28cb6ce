//go:build unix

package install

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// child describes the work of a child process. It installs or uninstalls, and is killed
// before one of its changes to the disk.
type child struct {
	Root      string
	Options   Options
	Uninstall bool
	KillAt    int // the number of the change, from 1
}

const childVariable = "INSTALL_TEST_CHILD"

func TestMain(m *testing.M) {
	if text := os.Getenv(childVariable); text != "" {
		if err := runChild(text); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

func runChild(text string) error {
	var c child
	if err := json.Unmarshal([]byte(text), &c); err != nil {
		return err
	}
	step := 0
	i := &Installer{Root: c.Root, Version: "v1", Out: io.Discard, Execute: (&testNode{}).execute, before: func(string, string) {
		if step++; step == c.KillAt {
			_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
			select {} // the signal ends this
		}
	}}
	if c.Uninstall {
		return i.Uninstall(context.Background(), c.Options)
	}
	return i.Install(context.Background(), c.Options)
}

// killed runs a child on the node. It reports whether the child was killed.
func (n *testNode) killed(at int, uninstall bool) bool {
	n.Helper()
	text, err := json.Marshal(child{Root: n.root, Options: n.options, Uninstall: uninstall, KillAt: at})
	if err != nil {
		n.Fatal(err)
	}
	cmd := exec.CommandContext(n.Context(), os.Args[0])
	cmd.Env = []string{childVariable + "=" + string(text)}
	out, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	switch {
	case err == nil:
		return false
	case errors.As(err, &exit) && exit.Sys().(syscall.WaitStatus).Signal() == syscall.SIGKILL:
		return true
	}
	n.Fatalf("step %d: %v: %s", at, err, out)
	return false
}

// killable are the disks on which install has different steps.
var killable = []string{"AL2023", "AL2023, older", "AL2, instead", "RKE2"}

// startable checks that a kubelet starts. Its flags are those of nodeadm with our
// drop-in if that exists, else the former ones.
func (d diskOf) startable(n *testNode) {
	n.Helper()
	switch config := d.config; {
	case strings.HasPrefix(d.config, rancherDir):
		n.kubelet(config, d.binDir, d.kubelet)
	case n.disk().exists(nodeConfigPath):
		n.kubelet(config, d.binDir, d.kubelet)
	default:
		n.kubelet(eksDir+"/config.json", d.binDir, d.kubelet)
	}
}

// TestKilledInstall: if install is killed at any step, a kubelet can start. The next
// install completes the work, and uninstall restores the former files.
func TestKilledInstall(t *testing.T) {
	t.Parallel()
	for _, name := range killable {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := disks[name]
			whole := d.node(t)
			whole.install()
			want := whole.snapshot()
			for at := 1; ; at++ {
				n := d.node(t)
				n.makeVarLib()
				before := n.snapshot()
				if !n.killed(at, false) {
					break
				}
				d.startable(n)
				if at%2 == 0 {
					n.install()
					if strings.Contains(n.out.String(), "somebody changed it") {
						t.Errorf("completed after step %d: got %s, want no line about somebody's change", at, n.out.String())
					}
					if diff := cmp.Diff(want, n.snapshot(), ignoreState); diff != "" {
						t.Errorf("completed after step %d (-want +got):\n%s", at, diff)
					}
				}
				if n.disk().exists(StateDir) {
					n.uninstall()
				}
				n.same(before)
			}
		})
	}
}

// TestKilledUninstall: if uninstall is killed at any step, a kubelet can start.
func TestKilledUninstall(t *testing.T) {
	t.Parallel()
	for _, name := range killable {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := disks[name]
			for at := 1; ; at++ {
				n := d.node(t)
				n.makeVarLib()
				before := n.snapshot()
				n.install()
				if !n.killed(at, true) {
					n.same(before)
					break
				}
				d.startable(n)
				if n.disk().exists(StateDir) {
					n.uninstall()
				}
				n.same(before)
			}
		})
	}
}

// TestKilledUpgrade: the same holds for an upgrade that changes the provider's name.
func TestKilledUpgrade(t *testing.T) {
	t.Parallel()
	d := disks["RKE2"]
	for at := 1; ; at++ {
		n := d.node(t)
		n.makeVarLib()
		n.install()
		n.writeFile(n.options.Plugin, "#!/bin/sh\n# plugin 2\n", 0o755)
		n.write("/usr/local/bin/rke2", "rke2 version v1.34.0+rke2r1")
		done := !n.killed(at, false)
		n.kubelet(d.config, d.binDir, "v1.34.0")
		n.install()
		if got, want := names(n.kubelet(d.config, d.binDir, "v1.34.0")), pluginName+" other "+stockName; got != want {
			t.Fatalf("after step %d the kubelet registers %s, want %s", at, got, want)
		}
		if n.disk().exists(d.binDir + "/" + olderName) {
			t.Errorf("after step %d: got the older name, want it removed", at)
		}
		n.uninstall()
		if got, want := names(n.kubelet(d.config, d.binDir, "v1.34.0")), "other "+stockName; got != want {
			t.Errorf("after step %d, uninstalled, the kubelet registers %s, want %s", at, got, want)
		}
		if done {
			break
		}
	}
}

// makeVarLib makes the directory that every node has.
func (n *testNode) makeVarLib() {
	n.Helper()
	if err := os.MkdirAll(n.root+"/var/lib", 0o755); err != nil {
		n.Fatal(err)
	}
}

// ignoreState ignores the files in which install keeps its own state.
var ignoreState = cmp.FilterPath(func(p cmp.Path) bool {
	return strings.Contains(p.String(), StateDir) || strings.Contains(p.GoString(), StateDir)
}, cmp.Ignore())
