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

// TestTakesOver: a file that install would write already exists, but belongs to an
// ordinary user. The plugin would refuse such a configuration, so install makes it its
// own, and uninstall gives it back.
func TestTakesOver(t *testing.T) {
	t.Parallel()
	if os.Geteuid() != 0 {
		t.Log("not root, so no file can get another owner; see TestChangesOwner")
		return
	}
	n := disks["AL2023"].node(t)
	n.write(ConfigPath, head+oneRole)
	file := n.root + ConfigPath
	if err := os.Chown(file, 1234, 5678); err != nil {
		t.Fatal(err)
	}
	before := n.snapshot()
	user := func(when string, want uint32) {
		info, err := os.Stat(file)
		if err != nil {
			t.Fatal(err)
		}
		if got := info.Sys().(*syscall.Stat_t).Uid; got != want {
			t.Errorf("%s: got a file of user %d, want %d", when, got, want)
		}
	}
	n.install()
	user("installed", 0)
	if want := "it belongs to user 1234; install gives it to user 0\n"; !strings.Contains(n.out.String(), want) {
		t.Errorf("got %s, want %q", n.out.String(), want)
	}
	n.out.Reset()
	n.install()
	if want := "nothing to change\n"; !strings.HasSuffix(n.out.String(), want) {
		t.Errorf("again: got %s, want %q", n.out.String(), want)
	}
	n.uninstall()
	user("uninstalled", 1234)
	n.same(before)
}

// TestChangesOwner: only a regular file has an owner to change.
func TestChangesOwner(t *testing.T) {
	t.Parallel()
	file := func(o *owner) object { return object{mode: 0o644, owner: o} }
	self, other := &owner{UID: os.Geteuid(), GID: 1}, &owner{UID: os.Geteuid() + 1}
	for _, test := range []struct {
		name     string
		old, new object
		want     bool
	}{
		{"another user's", file(other), file(nil), true},
		{"to another user", file(nil), file(other), true},
		{"the group alone", file(self), file(nil), false},
		{"a new file", object{}, file(other), false},
		{"a removed file", file(other), object{}, false},
		{"a link", file(other), object{link: "x"}, false},
	} {
		if got := (change{old: test.old, new: test.new}).changesOwner(); got != test.want {
			t.Errorf("%s: got %t, want %t", test.name, got, test.want)
		}
	}
}
