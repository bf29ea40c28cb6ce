//go:build unix

package cache

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// edit changes a field of an entry's file.
func edit(t *testing.T, file string, change func(map[string]any)) {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var fields map[string]any
	if err := json.Unmarshal(data, &fields); err != nil {
		t.Fatal(err)
	}
	change(fields)
	if data, err = json.Marshal(fields); err != nil {
		t.Fatal(err)
	}
	write(t, file, string(data))
}

func write(t *testing.T, file, text string) {
	t.Helper()
	must(t, os.WriteFile(file, []byte(text), 0o600))
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func inToken(name string, value any) func(map[string]any) {
	return func(fields map[string]any) { fields["token"].(map[string]any)[name] = value }
}

// TestFileFaults: whatever happened to an entry's file, its reason is told, AWS
// is asked, and the next process has a good entry again.
func TestFileFaults(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name  string
		spoil func(t *testing.T, file string)
		want  string
	}{
		{"empty", func(t *testing.T, file string) { write(t, file, "") }, "it is truncated, or not an entry at all"},
		{"truncated", func(t *testing.T, file string) { must(t, os.Truncate(file, 200)) }, "it is truncated, or not an entry at all"},
		{"garbage", func(t *testing.T, file string) { write(t, file, "\x00\xff{}") }, "it is truncated, or not an entry at all"},
		{"two in one", func(t *testing.T, file string) {
			data, err := os.ReadFile(file)
			must(t, err)
			write(t, file, string(data)+string(data))
		}, "it is truncated, or not an entry at all"},
		{"other JSON", func(t *testing.T, file string) { write(t, file, `{"auth":{}}`) }, "it is truncated, or not an entry at all"},
		{"null", func(t *testing.T, file string) { write(t, file, `null`) }, "it is truncated, or not an entry at all"},
		{"too large", func(t *testing.T, file string) { must(t, os.Truncate(file, 1<<30)) }, "it is larger than 65536 bytes"},
		{"older", func(t *testing.T, file string) {
			edit(t, file, func(f map[string]any) { f["version"] = 0 })
		}, "it is of version 0 of the format, older than 1"},
		{"newer", func(t *testing.T, file string) {
			edit(t, file, func(f map[string]any) { f["version"] = 2; f["token"] = "sealed"; f["learned"] = 7 })
		}, "it is of version 2 of the format, newer than 1"},
		{"wrong types", func(t *testing.T, file string) {
			edit(t, file, func(f map[string]any) { f["token"] = "secret-of-another" })
		}, "it has fields that are not as they must be"},
		{"no time", func(t *testing.T, file string) { edit(t, file, inToken("expires", "secret-of-another")) }, "it has fields that are not as they must be"},
		{"unknown verdict", func(t *testing.T, file string) {
			edit(t, file, func(f map[string]any) { f["failure"] = map[string]any{"verdict": "forget"} })
		}, "it has fields that are not as they must be"},
		{"another key's", func(t *testing.T, file string) {
			edit(t, file, func(f map[string]any) { f["key"] = NewKey("other").String() })
		}, "it is another key's"},
		{"nothing in it", func(t *testing.T, file string) {
			edit(t, file, func(f map[string]any) { delete(f, "token") })
		}, "nothing is in it"},
		{"no password", func(t *testing.T, file string) { edit(t, file, inToken("password", "")) }, "its parts contradict each other"},
		{"fresh after its end", func(t *testing.T, file string) {
			edit(t, file, inToken("freshUntil", boot.Add(13*time.Hour)))
		}, "its parts contradict each other"},
		{"lives for ever", func(t *testing.T, file string) {
			edit(t, file, inToken("expires", boot.Add(25*time.Hour)))
		}, "its parts contradict each other"},
		{"a token that was refused", func(t *testing.T, file string) {
			edit(t, file, func(f map[string]any) {
				f["failure"] = failure{Verdict: Remember, Until: boot.Add(time.Minute)}
			})
		}, "its parts contradict each other"},
		{"refused for ever", func(t *testing.T, file string) {
			edit(t, file, func(f map[string]any) {
				delete(f, "token")
				f["failure"] = failure{Verdict: Remember, Until: boot.Add(time.Hour)}
			})
		}, "its parts contradict each other"},
		{"from the future", func(t *testing.T, file string) {
			edit(t, file, func(f map[string]any) { f["learned"] = boot.Add(2 * time.Minute) })
		}, "it is from the future"},
		{"minted in the future", func(t *testing.T, file string) {
			edit(t, file, inToken("minted", boot.Add(2*time.Minute)))
		}, "it is from the future"},
		{"readable by the group", func(t *testing.T, file string) { must(t, os.Chmod(file, 0o640)) }, "it is open to group or others (mode 0640)"},
		{"writable by others", func(t *testing.T, file string) { must(t, os.Chmod(file, 0o602)) }, "it is open to group or others (mode 0602)"},
		{"a link to another entry", func(t *testing.T, file string) {
			must(t, os.Rename(file, file+"x"))
			must(t, os.Symlink(filepath.Base(file)+"x", file))
		}, "it is a symbolic link"},
		{"a link out of the folder", func(t *testing.T, file string) {
			outside := filepath.Join(t.TempDir(), "entry")
			must(t, os.Rename(file, outside))
			must(t, os.Symlink(outside, file))
		}, "it is a symbolic link"},
		{"a link to nothing", func(t *testing.T, file string) {
			must(t, os.Remove(file))
			must(t, os.Symlink("nothing", file))
		}, "it is a symbolic link"},
		{"a folder", func(t *testing.T, file string) {
			must(t, os.Remove(file))
			must(t, os.Mkdir(file, 0o700))
		}, "it is no regular file"},
		{"a pipe", func(t *testing.T, file string) {
			must(t, os.Remove(file))
			must(t, syscall.Mkfifo(file, 0o600))
		}, "it is no regular file"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			n := newNode(t)
			n.want(Minted, 6*time.Hour, 1)
			test.spoil(t, n.file(""))
			n.token.Password = "secret-2"
			n.want(Minted, 6*time.Hour, 1)
			for _, w := range n.warned {
				if strings.Contains(w, "secret-") {
					t.Errorf("the warning quotes the file: %s", w)
				}
			}
			n.wantWarned("the cache's entry for " + request.Registry + " is not used: " + test.want)
			if a := n.want(Fresh, 6*time.Hour, 0); a.Password != "secret-2" {
				t.Error("not rewritten")
			}
			n.wantWarned()
		})
	}
}

// TestFullFolderInPlace: what can't be replaced is no reason to fail.
func TestFullFolderInPlace(t *testing.T) {
	t.Parallel()
	n := newNode(t)
	_ = n.open()
	must(t, os.MkdirAll(filepath.Join(n.file(""), "x"), 0o700))
	n.want(Minted, 6*time.Hour, 1)
	n.wantWarned("it is no regular file", "is not written: ")
	if cleared, err := n.open().Clear(); err != nil || cleared != 1 {
		t.Errorf("cleared %d, %v", cleared, err)
	}
	n.want(Minted, 6*time.Hour, 1)
	n.want(Fresh, 6*time.Hour, 0)
	n.wantWarned()
}

// TestLockFaults: a lock's file that is none is replaced, or done without.
func TestLockFaults(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		spoil  func(t *testing.T, file string)
		warned []string
	}{
		{"garbage", func(t *testing.T, file string) { write(t, file, "garbage that is longer than a promise") }, nil},
		{"a link", func(t *testing.T, file string) {
			outside := filepath.Join(t.TempDir(), "outside")
			write(t, outside, "mine")
			must(t, os.Symlink(outside, file))
			t.Cleanup(func() {
				if data, err := os.ReadFile(outside); err != nil || string(data) != "mine" {
					t.Errorf("the link was followed: %q, %v", data, err)
				}
			})
		}, nil},
		{"a link to another file of the folder", func(t *testing.T, file string) {
			write(t, filepath.Join(filepath.Dir(file), "x"), "mine")
			must(t, os.Symlink("x", file))
		}, nil},
		{"open to others", func(t *testing.T, file string) { write(t, file, ""); must(t, os.Chmod(file, 0o666)) }, nil},
		{"a folder", func(t *testing.T, file string) { must(t, os.Mkdir(file, 0o700)) }, nil},
		{"a pipe", func(t *testing.T, file string) { must(t, syscall.Mkfifo(file, 0o600)) }, nil},
		{"a full folder", func(t *testing.T, file string) {
			must(t, os.MkdirAll(filepath.Join(file, "x"), 0o700))
		}, []string{"asking for " + request.Registry + " without the cache's lock: it can't be opened: is a directory"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			n := newNode(t)
			_ = n.open()
			test.spoil(t, n.file(".lock"))
			n.want(Minted, 6*time.Hour, 1)
			n.wantWarned(test.warned...)
			n.want(Fresh, 6*time.Hour, 0)
		})
	}
}

func TestFolderFaults(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		make func(t *testing.T, dir string)
		want string // after the folder's name; "" for none
	}{
		{"missing", func(*testing.T, string) {}, ""},
		{"there", func(t *testing.T, dir string) { must(t, os.Mkdir(dir, 0o700)) }, ""},
		{"open to the group", func(t *testing.T, dir string) {
			must(t, os.Mkdir(dir, 0o700))
			must(t, os.Chmod(dir, 0o750))
		}, "the folder %s is open to group or others (mode 0750); name another one, or make it its user's alone: chmod 0700"},
		{"sticky for all", func(t *testing.T, dir string) {
			must(t, os.Mkdir(dir, 0o700))
			must(t, os.Chmod(dir, 0o777|os.ModeSticky))
		}, "the folder %s is open to group or others (mode 0777); name another one, or make it its user's alone: chmod 0700"},
		{"a link", func(t *testing.T, dir string) { must(t, os.Symlink(t.TempDir(), dir)) }, "%s is a symbolic link; name the folder itself"},
		{"a link to nothing", func(t *testing.T, dir string) { must(t, os.Symlink("nothing", dir)) }, "%s is a symbolic link; name the folder itself"},
		{"a file", func(t *testing.T, dir string) { write(t, dir, "") }, "%s is no folder"},
		{"a pipe", func(t *testing.T, dir string) { must(t, syscall.Mkfifo(dir, 0o700)) }, "%s is no folder"},
		{"no parent", func(t *testing.T, dir string) { must(t, os.Remove(filepath.Dir(dir))) }, "making the folder %s: no such file or directory"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			n := newNode(t)
			test.make(t, n.dir)
			s, err := Open(n.dir, n.options())
			if test.want == "" {
				if err != nil {
					t.Fatal(err)
				}
				info, err := s.root.Stat(".")
				if err != nil || info.Mode().Perm() != 0o700 {
					t.Errorf("got %v, %v", info.Mode(), err)
				}
				must(t, s.Close())
				return
			}
			if want := "the cache is off: " + fmt.Sprintf(test.want, n.dir); err == nil || err.Error() != want || s != nil {
				t.Errorf("got %v, want %s", err, want)
			}
		})
	}
}

// TestForeign needs root to give files away; TestCheckOwner does not.
func TestForeign(t *testing.T) {
	t.Parallel()
	if os.Geteuid() != 0 {
		t.Log("only root can give a file away; see TestCheckOwner")
		return
	}
	n := newNode(t)
	n.want(Minted, 6*time.Hour, 1)
	must(t, os.Chown(n.file(""), 65534, -1))
	n.want(Minted, 6*time.Hour, 1)
	n.wantWarned("it is not owned by the user that runs this program (0)")
	n.want(Fresh, 6*time.Hour, 0)
	must(t, os.Chown(n.dir, 65534, -1))
	if _, err := Open(n.dir, n.options()); err == nil || !strings.Contains(err.Error(), "is not owned by the user that runs this program (0)") {
		t.Errorf("got %v", err)
	}
}

func TestCheckOwner(t *testing.T) {
	t.Parallel()
	self := uint32(os.Geteuid())
	tests := []struct {
		name string
		info fakeInfo
		want string
	}{
		{"mine", fakeInfo{mode: 0o600, sys: &syscall.Stat_t{Uid: self}}, ""},
		{"mine, read-only", fakeInfo{mode: 0o400, sys: &syscall.Stat_t{Uid: self}}, ""},
		{"another's", fakeInfo{mode: 0o600, sys: &syscall.Stat_t{Uid: self + 1}}, fmt.Sprintf("is not owned by the user that runs this program (%d)", self)},
		{"nobody's", fakeInfo{mode: 0o600}, fmt.Sprintf("is not owned by the user that runs this program (%d)", self)},
		{"open", fakeInfo{mode: 0o604, sys: &syscall.Stat_t{Uid: self}}, "is open to group or others (mode 0604)"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			if err := checkOwner(test.info); err == nil && test.want != "" || err != nil && err.Error() != test.want {
				t.Errorf("got %v, want %s", err, test.want)
			}
		})
	}
}

// fakeInfo is a file as checkOwner sees it.
type fakeInfo struct {
	os.FileInfo
	mode os.FileMode
	sys  any
}

func (i fakeInfo) Mode() os.FileMode { return i.mode }
func (i fakeInfo) Sys() any          { return i.sys }

// TestNotUTF8: JSON would change such a token, so it is answered, and not kept.
func TestNotUTF8(t *testing.T) {
	t.Parallel()
	n := newNode(t)
	n.token.Password = "secret-\xff"
	for range 2 {
		if a := n.want(Minted, 0, 1); a.Password != "secret-\xff" {
			t.Error("changed")
		}
	}
}

// TestLargeToken: an entry that could not be read again is not written.
func TestLargeToken(t *testing.T) {
	t.Parallel()
	n := newNode(t)
	n.token.Password = "secret-" + strings.Repeat("x", maxFile)
	n.want(Minted, 6*time.Hour, 1)
	n.wantWarned("is not written: it is larger than 65536 bytes")
	n.want(Minted, 6*time.Hour, 1)
}

// TestRefusalThatCantBeWritten: the token that it was about must go all the same.
func TestRefusalThatCantBeWritten(t *testing.T) {
	t.Parallel()
	n := newNode(t)
	n.want(Minted, 6*time.Hour, 1)
	n.advance(7 * time.Hour)
	n.err = errRefused
	large := request
	large.Identity = strings.Repeat("x", maxFile)
	if _, err := n.open().Do(t.Context(), large, n.ask); err == nil {
		t.Fatal("no error")
	}
	n.wantWarned("is not written: it is larger than 65536 bytes")
	n.err, n.calls = errUnavailable, 0
	n.wantError(errUnavailable.Error(), 1)
}
