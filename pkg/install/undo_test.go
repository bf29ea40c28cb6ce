//go:build unix

package install

import (
	"os"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
)

// TestFailedChange: if a change fails, install undoes the changes before it.
func TestFailedChange(t *testing.T) {
	t.Parallel()
	for _, name := range killable {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for at := 1; ; at++ {
				n := disks[name].node(t)
				n.makeVarLib()
				before, puts := n.snapshot(), 0
				n.before = func(operation, path string) {
					if operation == "put" && !strings.HasPrefix(path, StateDir) {
						if puts++; puts == at {
							_ = os.Remove(n.disk().at(staged(path))) // so that the rename fails
						}
					}
				}
				err := n.Install(t.Context(), n.options)
				if puts < at { // there were fewer changes, so none failed
					if err != nil || puts == 0 {
						t.Fatalf("after %d changes: got %v, want an install with changes", puts, err)
					}
					break
				}
				if err == nil {
					t.Fatalf("change %d failed, but install returned no error", at)
				}
				n.before = nil
				n.same(before)
			}
		})
	}
}

// TestFailedRollback: if the former file cannot be restored, install keeps its copy. Then
// uninstall restores it.
func TestFailedRollback(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		n, s := disks["AL2"].withServices(t)
		before := n.snapshot()
		file := eksDir + "/config.json"
		s.broken = func() bool { return strings.Contains(n.read(file), pluginName) }
		n.before = func(operation, path string) {
			if operation == "put" && path == file && slices.Contains(s.told, "restart kubelet") {
				n.remove(staged(path)) // so that the rename fails
			}
		}
		err := n.Install(t.Context(), n.options)
		for _, want := range []string{"; restoring the former files failed; repair that, and run uninstall; and while undoing", "but kubelet is still not healthy"} {
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("got %v, want %q", err, want)
			}
		}
		n.before, s.broken = nil, func() bool { return false }
		n.uninstall()
		n.same(before)
	})
}

// TestFailedRollbackOfPending: the same holds if no kubelet ever ran with the files of the
// earlier run. Their records stay, so that uninstall can restore what was there before.
func TestFailedRollbackOfPending(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		n, s := disks["AL2"].withServices(t)
		before := n.snapshot()
		n.options.Restart = false
		n.install()
		n.options.Restart = true
		n.writeFile(n.options.Plugin, "#!/bin/sh\n# plugin 2\n", 0o755)
		s.broken = func() bool { return true }
		plugin := eksDir + "/" + olderName
		n.before = func(operation, path string) {
			if operation == "put" && path == plugin && slices.Contains(s.told, "restart kubelet") {
				n.remove(staged(path)) // so that the rename fails
			}
		}
		if err := n.Install(t.Context(), n.options); err == nil || !strings.Contains(err.Error(), "restoring the former files failed") {
			t.Errorf("got %v, want an error about the former files", err)
		}
		n.before, s.broken = nil, func() bool { return false }
		n.uninstall()
		n.same(before)
	})
}

// TestModeOfOthers: install keeps the mode of a file that it changes, even if the umask
// would forbid it for a new file.
func TestModeOfOthers(t *testing.T) {
	t.Parallel()
	d := disks["AL2"]
	n := d.node(t)
	path := n.disk().at(d.config)
	if err := os.Chmod(path, 0o666); err != nil {
		t.Fatal(err)
	}
	before := n.snapshot()
	n.install()
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if info.Mode() != 0o666 {
		t.Errorf("got the mode %v, want 0666", info.Mode())
	}
	n.uninstall()
	n.same(before)
}
