//go:build unix

package cache

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestDirectoryFaults: an error names the directory, its mode and owner, and the
// wanted ones.
func TestDirectoryFaults(t *testing.T) {
	t.Parallel()
	const (
		has = "directory {dir} has mode %s and belongs to user {me}; want mode drwx------ and user {me}"
		in  = "{parent}, a parent of {dir}, has mode %s and belongs to user {me}; want mode drwxr-xr-x and user {me}"
	)
	chmod := func(t *testing.T, dir string, mode os.FileMode) { t.Helper(); must(t, os.Chmod(dir, mode)) }
	tests := []struct {
		name string
		make func(t *testing.T, dir string)
		want string // {dir}, {parent} and {me} stand for the paths and the user; "" is no error
	}{
		{"missing", func(*testing.T, string) {}, ""},
		{"exists", func(t *testing.T, dir string) { must(t, os.Mkdir(dir, 0o700)) }, ""},
		{"in a sticky directory open to all", func(t *testing.T, dir string) { chmod(t, filepath.Dir(dir), 0o777|os.ModeSticky) }, ""},
		{"open to the group", func(t *testing.T, dir string) { must(t, os.Mkdir(dir, 0o700)); chmod(t, dir, 0o750) }, fmt.Sprintf(has, "drwxr-x---")},
		{"sticky and open to all", func(t *testing.T, dir string) {
			must(t, os.Mkdir(dir, 0o700))
			chmod(t, dir, 0o777|os.ModeSticky)
		}, fmt.Sprintf(has, "dtrwxrwxrwx")},
		{"a link", func(t *testing.T, dir string) { must(t, os.Symlink(t.TempDir(), dir)) }, fmt.Sprintf(has, "Lrwxrwxrwx")},
		{"a dangling link", func(t *testing.T, dir string) { must(t, os.Symlink("nothing", dir)) }, fmt.Sprintf(has, "Lrwxrwxrwx")},
		{"a file", func(t *testing.T, dir string) { write(t, dir, "") }, fmt.Sprintf(has, "-rw-------")},
		{"a pipe", func(t *testing.T, dir string) { must(t, syscall.Mkfifo(dir, 0o700)) }, fmt.Sprintf(has, "prwx------")},
		{"no parent", func(t *testing.T, dir string) { must(t, os.Remove(filepath.Dir(dir))) }, "lstat {parent}: no such file or directory"},
		{"a parent that is a file", func(t *testing.T, dir string) {
			must(t, os.Remove(filepath.Dir(dir)))
			write(t, filepath.Dir(dir), "")
		}, fmt.Sprintf(in, "-rw-------")},
		{"a parent open to the group", func(t *testing.T, dir string) { chmod(t, filepath.Dir(dir), 0o775) }, fmt.Sprintf(in, "drwxrwxr-x")},
		{"a parent open to all, with a good directory", func(t *testing.T, dir string) {
			must(t, os.Mkdir(dir, 0o700))
			chmod(t, filepath.Dir(dir), 0o777)
		}, fmt.Sprintf(in, "drwxrwxrwx")},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			n := newNode(t)
			test.make(t, n.dir)
			s, err := Open(n.dir, n.options())
			if test.want == "" {
				must(t, err)
				info, err := s.root.Stat(".")
				if err != nil || info.Mode().Perm() != 0o700 {
					t.Errorf("got mode %v, %v; want 0700", info.Mode(), err)
				}
				must(t, s.Close())
				return
			}
			want := "the cache is off: " + strings.NewReplacer("{dir}", n.dir, "{parent}", filepath.Dir(n.dir), "{me}", strconv.Itoa(os.Geteuid())).Replace(test.want) +
				"; correct that, or name another directory"
			if err == nil || err.Error() != want || s != nil {
				t.Errorf("got %v\nwant %s", err, want)
			}
		})
	}
}

// TestParentsOfLinks: if a parent is a link, Open checks the parents of the link's
// target.
func TestParentsOfLinks(t *testing.T) {
	t.Parallel()
	n := newNode(t)
	base := filepath.Dir(n.dir)
	must(t, os.MkdirAll(filepath.Join(base, "real", "deep"), 0o700))
	must(t, os.Symlink(filepath.Join("real", "deep"), filepath.Join(base, "link")))
	n.dir = filepath.Join(base, "link", "cache")
	n.want(Minted, 6*time.Hour, 1)
	if _, err := os.Stat(filepath.Join(base, "real", "deep", "cache", request.Key.String())); err != nil {
		t.Error(err)
	}
	must(t, os.Chmod(filepath.Join(base, "real"), 0o707))
	if _, err := Open(n.dir, n.options()); err == nil || !strings.Contains(err.Error(), "/real, a parent of "+filepath.Join(base, "real", "deep", "cache")+", has mode drwx---rwx") {
		t.Errorf("got %v, want an error about /real", err)
	}
}

// TestForeign: files and directories of another user are refused. It needs root to
// change an owner; TestCheck does not.
func TestForeign(t *testing.T) {
	t.Parallel()
	if os.Geteuid() != 0 {
		t.Log("not root, so no file can get another owner; see TestCheck")
		return
	}
	n := newNode(t)
	n.want(Minted, 6*time.Hour, 1)
	must(t, os.Chown(n.file(""), 65534, -1))
	n.want(Minted, 6*time.Hour, 1)
	n.wantWarned("it has mode -rw------- and belongs to user 65534; want mode -rw------- and user 0")
	n.want(Fresh, 6*time.Hour, 0)
	must(t, os.Chown(n.dir, 65534, -1))
	must(t, os.Chmod(n.dir, 0o777))
	_, err := Open(n.dir, n.options())
	if want := "the cache is off: directory " + n.dir + " has mode drwxrwxrwx and belongs to user 65534; want mode drwx------ and user 0; "; err == nil || !strings.HasPrefix(err.Error(), want) {
		t.Errorf("got %v\nwant %s", err, want)
	}
	must(t, os.Chown(filepath.Dir(n.dir), 65534, -1))
	if _, err := Open(n.dir, n.options()); err == nil || !strings.Contains(err.Error(), filepath.Dir(n.dir)+", a parent of "+n.dir+", has mode drwxr-xr-x and belongs to user 65534; ") {
		t.Errorf("got %v, want an error about the parent", err)
	}
}

// TestCheck: check accepts or refuses directories, their parents, and files.
func TestCheck(t *testing.T) {
	t.Parallel()
	self := uint32(os.Geteuid())
	const file, dir, parent = os.FileMode(0o600), os.ModeDir | 0o700, os.ModeDir | 0o755
	tests := []struct {
		name string
		info fakeInfo
		want os.FileMode
		ok   bool
	}{
		{"mine", fakeInfo{mode: 0o600, sys: &syscall.Stat_t{Uid: self}}, file, true},
		{"mine, read-only", fakeInfo{mode: 0o400, sys: &syscall.Stat_t{Uid: self}}, file, true},
		{"root's", fakeInfo{mode: 0o600, sys: &syscall.Stat_t{Uid: 0}}, file, true},
		{"another's", fakeInfo{mode: 0o600, sys: &syscall.Stat_t{Uid: self + 1}}, file, false},
		{"nobody's", fakeInfo{mode: 0o600}, file, false},
		{"open", fakeInfo{mode: 0o604, sys: &syscall.Stat_t{Uid: self}}, file, false},
		{"a directory for a file", fakeInfo{mode: dir, sys: &syscall.Stat_t{Uid: self}}, file, false},
		{"a file for a directory", fakeInfo{mode: file, sys: &syscall.Stat_t{Uid: self}}, dir, false},
		{"a parent", fakeInfo{mode: parent, sys: &syscall.Stat_t{Uid: 0}}, parent, true},
		{"a parent as the directory", fakeInfo{mode: parent, sys: &syscall.Stat_t{Uid: self}}, dir, false},
		{"a parent open to the group", fakeInfo{mode: os.ModeDir | 0o775, sys: &syscall.Stat_t{Uid: self}}, parent, false},
		{"another's parent", fakeInfo{mode: parent, sys: &syscall.Stat_t{Uid: self + 1}}, parent, false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			if err := check(test.info, test.want); (err == nil) != test.ok {
				t.Errorf("got %v, want success: %t", err, test.ok)
			}
		})
	}
}

// fakeInfo is a file as the checks see it.
type fakeInfo struct {
	os.FileInfo
	mode os.FileMode
	sys  any
}

func (i fakeInfo) Mode() os.FileMode { return i.mode }
func (i fakeInfo) Sys() any          { return i.sys }
