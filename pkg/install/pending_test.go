package install

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
)

// booted makes a node on which the kubelet was started after an install, as by a boot.
func booted(t *testing.T) (*testNode, *services) {
	t.Helper()
	n, s := disks["kubeadm"].withServices(t)
	n.options.Restart = false
	n.install()
	n.options.Restart = true
	proc := string(n.Proc)
	n.writeFile(filepath.Join(proc, "stat"), "btime 4000000000\n", 0o600)
	n.writeFile(filepath.Join(proc, "7", "stat"), "7 (kubelet) S"+strings.Repeat(" 0", 20), 0o600)
	return n, s
}

// TestBootIsRestart: a boot after an install is the restart that the install needs.
func TestBootIsRestart(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		n, s := booted(t)
		installed := n.snapshot()
		n.out.Reset()
		n.install()
		if !strings.HasSuffix(n.out.String(), "nothing to change\n") || slices.Contains(s.told, "restart kubelet") {
			t.Errorf("got %s and the calls %q, want nothing to change and no restart", n.out.String(), s.told)
		}
		n.same(installed)
	})
}

// TestRollbackAfterBoot: a kubelet has started with the files of the earlier run. So a
// failing upgrade restores them, and does not remove them, even if the kubelet stays down.
func TestRollbackAfterBoot(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		n, s := booted(t)
		installed := n.snapshot()
		n.writeFile(n.options.Plugin, "#!/bin/sh\n# plugin 2\n", 0o755)
		s.broken = func() bool { return true }
		err := n.Install(t.Context(), n.options)
		if err == nil || !strings.Contains(err.Error(), "the former files are back, but kubelet is still not healthy") {
			t.Errorf("got %v, want an error that says the kubelet is not healthy", err)
		}
		installed[stateFile] = strings.Replace(installed[stateFile], "  \"restartPending\": true,\n", "", 1)
		n.same(installed)
	})
}
