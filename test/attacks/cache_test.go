//go:build linux

package attacks_test

import (
	"bytes"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"ecr-cross-account-credential-provider/test/fakeaws"
)

// entries returns the paths of the entries in the cache.
func (n *node) entries() []string {
	n.t.Helper()
	all, err := filepath.Glob(n.path("cache/*"))
	if err != nil {
		n.t.Fatal(err)
	}
	var entries []string
	for _, path := range all {
		if len(filepath.Base(path)) == 64 {
			entries = append(entries, path)
		}
	}
	return entries
}

// entry returns the path of the only entry, and its content.
func (n *node) entry() (string, []byte) {
	n.t.Helper()
	entries := n.entries()
	if len(entries) != 1 {
		n.t.Fatalf("%d entries, want 1", len(entries))
	}
	content, err := os.ReadFile(entries[0])
	if err != nil {
		n.t.Fatal(err)
	}
	return entries[0], content
}

// TestFlippedBits: the plugin does not use an entry that has a wrong bit or is
// truncated.
func TestFlippedBits(t *testing.T) {
	t.Parallel()
	n := newNode(t, assume)
	n.want(n.pull(image), outcome{})
	path, good := n.entry()
	const flips = 61 // spread over the entry, and over the 8 bits of a byte
	for i := range flips {
		bit := i * 8 * len(good) / flips
		bad := bytes.Clone(good)
		bad[bit/8] ^= 1 << (i % 8)
		n.misses(path, bad, fmt.Sprint("bit ", bit))
	}
	for _, length := range []int{0, 1, len(good) / 2, len(good) - 1} {
		n.misses(path, good[:length], fmt.Sprint("length ", length))
	}
	n.misses(path, append(bytes.Clone(good), 'x'), "longer")
	n.misses(path, bytes.Repeat([]byte("x"), 1<<20), "1 MiB")
	n.misses(path, append(bytes.Clone(good), good...), "twice")
}

// misses checks that the plugin does not use an entry with the given content.
func (n *node) misses(path string, content []byte, what string) {
	n.t.Helper()
	if err := os.WriteFile(path, content, 0o600); err != nil {
		n.t.Fatal(err)
	}
	n.aws.Forget()
	n.want(n.pull(image), outcome{})
	if calls := n.aws.Calls(fakeaws.ECR); len(calls) != 1 {
		n.t.Errorf("%s: %d calls, want 1", what, len(calls))
	}
}

// TestPlantedEntries: the plugin does not use a file that was planted in an entry's
// place, and the pull succeeds. Another entry with a real token is one such file.
func TestPlantedEntries(t *testing.T) {
	t.Parallel()
	plants := oddFiles()
	plants = append(plants,
		oddFile{"another entry", func(path string) error { return copyFile(filepath.Dir(path)+"/../planted", path, 0o600) }},
		oddFile{"link to another entry", link("../planted")},
		oddFile{"entry that others read", func(path string) error { return copyFile(filepath.Dir(path)+"/../real", path, 0o644) }},
		oddFile{"directory that is full", func(path string) error { return os.MkdirAll(path+"/x", 0o700) }},
		oddFile{"socket", func(path string) error { return syscall.Mknod(path, syscall.S_IFSOCK|0o600, 0) }},
	)
	if os.Geteuid() == 0 {
		plants = append(plants, oddFile{"entry of another user", func(path string) error {
			if err := copyFile(filepath.Dir(path)+"/../real", path, 0o600); err != nil {
				return err
			}
			return os.Chown(path, nobody, nobody)
		}})
	}
	for _, plant := range plants {
		for _, suffix := range []string{"", ".lock"} {
			t.Run(plant.name+suffix, func(t *testing.T) {
				t.Parallel()
				n := newNode(t, assume)
				n.want(n.pull(ownImage), outcome{role: nodeRole})
				path, _ := n.entry()
				n.move(path, n.path("planted"))
				n.want(n.pull(image), outcome{})
				path, content := n.entry()
				n.write("real", string(content))
				n.move(path, n.path("gone"))
				_ = os.Remove(path + suffix)
				if err := plant.make(path + suffix); err != nil {
					t.Fatal(err)
				}
				n.aws.Forget()
				n.want(n.pull(image), outcome{})
				n.wantCalls(1, fakeaws.STS)
			})
		}
	}
}

func (n *node) move(from, to string) {
	n.t.Helper()
	if err := os.Rename(from, to); err != nil {
		n.t.Fatal(err)
	}
}

func copyFile(from, to string, mode fs.FileMode) error {
	content, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	if err := os.WriteFile(to, content, mode); err != nil {
		return err
	}
	return os.Chmod(to, mode) // for any umask
}

// TestCacheDirectories: the plugin does not use a directory that others can read, write
// or replace. The pull continues without a cache.
func TestCacheDirectories(t *testing.T) {
	t.Parallel()
	mkdir := func(path string, mode fs.FileMode) error {
		if err := os.Mkdir(path, mode); err != nil {
			return err
		}
		return os.Chmod(path, mode)
	}
	tests := []oddFile{
		{"others read it", func(path string) error { return mkdir(path, 0o755) }},
		{"group writes it", func(path string) error { return mkdir(path, 0o770) }},
		{"sticky", func(path string) error { return mkdir(path, 0o777|fs.ModeSticky) }},
		{"parent for all", func(path string) error { return mkdirs(path, 0o777) }},
		{"parent for the group", func(path string) error { return mkdirs(path, 0o775) }},
		{"link", func(path string) error {
			if err := mkdir(path+".real", 0o700); err != nil {
				return err
			}
			return os.Symlink(path+".real", path)
		}},
	}
	tests = append(tests, oddFiles()[:11]...)
	if os.Geteuid() == 0 {
		tests = append(tests,
			oddFile{"another user's", func(path string) error {
				if err := mkdir(path, 0o700); err != nil {
					return err
				}
				return os.Chown(path, nobody, nobody)
			}},
			oddFile{"another user's parent", func(path string) error {
				if err := mkdirs(path, 0o755); err != nil {
					return err
				}
				return os.Chown(filepath.Dir(path), nobody, nobody)
			}})
	}
	for _, test := range tests {
		if test.name == "directory" {
			continue
		}
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			path := "p/cache"
			n := newNode(t, "")
			n.write("config.yaml", n.configuration(assume+"cache: {directory: "+n.path(path)+"}\n"))
			n.place(test, n.path(path))
			n.want(n.pull(image), outcome{says: "the cache is off"})
			n.want(n.pull(image), outcome{says: "the cache is off"})
			n.wantCalls(2, fakeaws.STS)
			if where := n.find("p", tokenMark); where != "" {
				t.Errorf("%s has a token, want none", where)
			}
		})
	}
}

// mkdirs makes a directory, and sets the mode of its parent.
func mkdirs(path string, mode fs.FileMode) error {
	if err := os.Mkdir(path, 0o700); err != nil {
		return err
	}
	return os.Chmod(filepath.Dir(path), mode)
}

// TestLeftovers: any write removes unused temporary files and locks, and no other
// files.
func TestLeftovers(t *testing.T) {
	t.Parallel()
	n := newNode(t, assume)
	n.want(n.pull(image), outcome{})
	path, _ := n.entry()
	old := time.Now().Add(-time.Hour)
	for _, name := range []string{path + ".AAAA.tmp", strings.Repeat("0", 64) + ".BBBB.tmp", strings.Repeat("1", 64) + ".lock"} {
		left := n.write("cache/"+filepath.Base(name), "left")
		if err := os.Chtimes(left, old, old); err != nil {
			t.Fatal(err)
		}
	}
	n.write("cache/notes.txt", "of somebody else")
	n.want(n.pull(ownImage), outcome{role: nodeRole})
	if found := n.find("cache", "left"); found != "" {
		t.Errorf("%s still exists", found)
	}
	if n.find("cache", "of somebody else") == "" {
		t.Error("a file that does not belong to the cache was removed")
	}
}

// TestUnwrittenRefusal: if a refusal cannot be written, the old token is still
// dropped.
func TestUnwrittenRefusal(t *testing.T) {
	t.Parallel()
	n := newNode(t, assume)
	n.grow()
	n.aws.Break(fakeaws.STS, fakeaws.Denied())
	cmd := n.command()
	cmd.Path, cmd.Args = "/bin/sh", append([]string{"sh", "-c", "ulimit -f 0; exec \"$@\"", "sh", plugin}, n.args...)
	cmd.Stdin = strings.NewReader(request(image))
	n.want(n.finish(cmd), outcome{class: failed, says: "is not written"})
	n.aws.Break(fakeaws.STS, fakeaws.Broken(0))
	n.want(n.pull(image), outcome{class: failed, says: "InternalFailure"})
}
