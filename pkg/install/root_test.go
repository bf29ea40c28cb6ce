//go:build unix

package install

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// TestRootAbsent: a missing root directory is an error, not a hang.
func TestRootAbsent(t *testing.T) {
	t.Parallel()
	n := disks["AL2"].node(t)
	n.Root += "/absent"
	n.refused("is not a directory")
}

// TestOutside: install refuses a symbolic link that points outside of the root
// directory.
func TestOutside(t *testing.T) {
	t.Parallel()
	for name, outsideOf := range map[string]func(root string) string{
		"elsewhere":             func(string) string { return t.TempDir() },
		"a name that continues": func(root string) string { return root + "-backup" },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			n := disks["k3s"].node(t)
			outside := outsideOf(n.root)
			if err := errors.Join(os.MkdirAll(outside, 0o755), os.Symlink(outside, n.root+"/var")); err != nil {
				t.Fatal(err)
			}
			n.refused("leads out of")
			if entries, err := os.ReadDir(outside); err != nil || len(entries) > 0 {
				t.Errorf("got %v outside, error %v, want nothing", entries, err)
			}
		})
	}
}

// TestInsideLink: install follows a symbolic link to a directory inside.
func TestInsideLink(t *testing.T) {
	t.Parallel()
	n := disks["k3s"].node(t)
	n.write("/data/rancher/x", "")
	if err := os.MkdirAll(n.root+"/var/lib", 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("../../data/rancher", n.root+"/var/lib/rancher"); err != nil {
		t.Fatal(err)
	}
	before := n.snapshot()
	n.install()
	n.kubelet("/data/rancher/credentialprovider/config.yaml", "/data/rancher/credentialprovider/bin", "v1.34.1")
	n.uninstall()
	n.same(before)
}

// TestPipes: install refuses a named pipe in place of a file, and does not wait for it.
func TestPipes(t *testing.T) {
	t.Parallel()
	for _, path := range []string{eksDir + "/20.yaml", eksDir + "/config.json", stateFile, "/etc/os-release"} {
		t.Run(path, func(t *testing.T) {
			t.Parallel()
			n := disks["AL2023"].node(t)
			pipe := filepath.Join(n.root, path)
			_ = os.Remove(pipe)
			if err := os.MkdirAll(filepath.Dir(pipe), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := syscall.Mkfifo(pipe, 0o600); err != nil {
				t.Fatal(err)
			}
			err := n.Install(t.Context(), n.options)
			if path != "/etc/os-release" && (err == nil || !strings.Contains(err.Error(), "is not a regular file")) {
				t.Errorf("got %v, want an error about the pipe", err)
			}
		})
	}
}

// TestNoMode: install refuses a file with mode 0, because it would look like a missing
// one.
func TestNoMode(t *testing.T) {
	t.Parallel()
	n := disks["AL2"].node(t)
	if err := os.Chmod(n.root+eksDir+"/config.json", 0); err != nil {
		t.Fatal(err)
	}
	if err := n.Install(t.Context(), n.options); err == nil || !strings.Contains(err.Error(), "has the mode 0000; give it another") {
		t.Errorf("got %v, want an error about the mode", err)
	}
}

// TestOwner: install keeps the owner, the group and the mode of a file, and uninstall
// restores them.
func TestOwner(t *testing.T) {
	t.Parallel()
	uid, gid := os.Getuid(), os.Getgid()
	if uid == 0 {
		uid, gid = 1234, 5678
	}
	n := disks["AL2"].node(t)
	file := n.root + eksDir + "/config.json"
	if err := os.Chown(file, uid, gid); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(file, 0o640); err != nil {
		t.Fatal(err)
	}
	before := n.snapshot()
	owner := func(when string) {
		info, err := os.Stat(file)
		if err != nil {
			t.Fatal(err)
		}
		if s := info.Sys().(*syscall.Stat_t); int(s.Uid) != uid || int(s.Gid) != gid {
			t.Errorf("%s: got the owner %d:%d, want %d:%d", when, s.Uid, s.Gid, uid, gid)
		}
	}
	n.install()
	owner("installed")
	n.uninstall()
	owner("uninstalled")
	n.same(before)
}
