//go:build unix

package cache

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"ecr-cross-account-credential-provider/pkg/secret"
)

// edit changes fields of an entry's file, and keeps its checksum right.
func edit(t *testing.T, file string, change func(map[string]any)) {
	t.Helper()
	data, err := os.ReadFile(file)
	must(t, err)
	lines := bytes.SplitN(data, []byte("\n"), 3)
	var fields map[string]any
	must(t, json.Unmarshal(lines[1], &fields))
	change(fields)
	body, err := json.Marshal(fields)
	must(t, err)
	body = append(append(body, '\n'), lines[2]...)
	write(t, file, string(header(request.Key, body))+string(body))
}

// replace replaces text in a file.
func replace(t *testing.T, file, old, with string) {
	t.Helper()
	data, err := os.ReadFile(file)
	must(t, err)
	if !bytes.Contains(data, []byte(old)) {
		t.Fatalf("got %q, want %q in it", data, old)
	}
	write(t, file, strings.Replace(string(data), old, with, 1))
}

// TestFileFaults: if an entry's file is damaged, a process reports the reason and
// asks AWS. The next process finds a good entry.
func TestFileFaults(t *testing.T) {
	t.Parallel()
	damaged := errDamaged.Error()
	has := func(mode string) string {
		return fmt.Sprintf("it has mode %s and belongs to user %d; want mode -rw------- and user %[2]d", mode, os.Geteuid())
	}
	inPlace := func(place func(t *testing.T, file string)) func(*testing.T, string) {
		return func(t *testing.T, file string) { must(t, os.Remove(file)); place(t, file) }
	}
	edited := func(change func(map[string]any)) func(*testing.T, string) {
		return func(t *testing.T, file string) { edit(t, file, change) }
	}
	tests := []struct {
		name  string
		spoil func(t *testing.T, file string)
		want  string
	}{
		{"empty", func(t *testing.T, file string) { write(t, file, "") }, damaged},
		{"truncated in its first line", func(t *testing.T, file string) { must(t, os.Truncate(file, 50)) }, damaged},
		{"truncated", func(t *testing.T, file string) { must(t, os.Truncate(file, 200)) }, damaged},
		{"garbage", func(t *testing.T, file string) { write(t, file, "\x00\xff{}") }, damaged},
		{"twice", func(t *testing.T, file string) {
			data, err := os.ReadFile(file)
			must(t, err)
			write(t, file, string(data)+string(data))
		}, damaged},
		{"other JSON", func(t *testing.T, file string) { write(t, file, `{"auth":{}}`) }, damaged},
		{"null", func(t *testing.T, file string) { write(t, file, `null`) }, damaged},
		{"the first format", func(t *testing.T, file string) { write(t, file, `{"version":1,"token":{}}`) }, damaged},
		{"too large", func(t *testing.T, file string) { must(t, os.Truncate(file, 1<<30)) }, damaged},
		{"older", func(t *testing.T, file string) { replace(t, file, version, "cache-entry/2") }, damaged},
		{"newer", func(t *testing.T, file string) { replace(t, file, version, "cache-entry/4") }, damaged},
		{"changed", func(t *testing.T, file string) { replace(t, file, "2026", "2027") }, damaged},
		{"another key's", func(t *testing.T, file string) {
			data, err := os.ReadFile(file)
			must(t, err)
			_, body, _ := bytes.Cut(data, []byte("\n"))
			write(t, file, string(header(keyOf("other"), body))+string(body))
		}, damaged},
		{"wrong types", edited(func(f map[string]any) { f["token"] = "secret-of-another" }), damaged},
		{"no time", edited(func(f map[string]any) { f["minted"] = "secret-of-another" }), damaged},
		{"unknown class", edited(func(f map[string]any) { f["failure"] = map[string]any{"class": "forget"} }), damaged},
		{"a streak below 0", edited(func(f map[string]any) { f["streak"] = -1 }), damaged},
		{"not JSON", func(t *testing.T, file string) { write(t, file, string(header(request.Key, []byte("{")))+"{") }, damaged},
		{"open to the group", func(t *testing.T, file string) { must(t, os.Chmod(file, 0o640)) }, has("-rw-r-----")},
		{"a link", inPlace(func(t *testing.T, file string) {
			outside := filepath.Join(tempDir(t), "outside")
			write(t, outside, "mine")
			must(t, os.Symlink(outside, file))
			t.Cleanup(func() {
				if data, err := os.ReadFile(outside); err != nil || string(data) != "mine" {
					t.Errorf("got %q, %v in the link's target, want it unchanged", data, err)
				}
			})
		}), "path escapes from parent"},
		{"a dangling link", inPlace(func(t *testing.T, file string) { must(t, os.Symlink("nothing", file)) }), ""},
		{"a link to another entry", inPlace(func(t *testing.T, file string) {
			other := keyOf("other")
			data, err := minted(Request{Key: other}, tokenOf("secret-of-another"), noon).encode(moment(noon, "", 0))
			must(t, err)
			write(t, filepath.Join(filepath.Dir(file), other.String()), string(data))
			must(t, os.Symlink(other.String(), file))
		}), damaged},
		{"a directory", inPlace(func(t *testing.T, file string) { must(t, os.Mkdir(file, 0o700)) }), has("drwx------")},
		{"a directory that is not empty", inPlace(func(t *testing.T, file string) { must(t, os.MkdirAll(filepath.Join(file, "x"), 0o700)) }), has("drwx------")},
		{"a pipe", inPlace(func(t *testing.T, file string) { must(t, syscall.Mkfifo(file, 0o600)) }), has("prw-------")},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			n := newNode(t)
			n.want(Minted, 6*time.Hour, 1)
			test.spoil(t, n.file(""))
			n.token = tokenOf("secret-2")
			n.want(Minted, 6*time.Hour, 1)
			for _, w := range n.warned {
				if strings.Contains(w, "secret-") || !strings.HasPrefix(w, "the cache's entry for "+request.Registry+" is not used: it ") {
					t.Errorf("got warning %s, want one about the entry, without a secret", w)
				}
			}
			if test.want == "" {
				n.wantWarned()
			} else {
				n.wantWarned(test.want)
			}
			if l := n.want(Fresh, 6*time.Hour, 0); l.Secret.Reveal() != "secret-2" {
				t.Errorf("got %s, want secret-2", l.Secret.Reveal())
			}
			n.wantWarned()
		})
	}
}

// TestLockFaults: whatever is in the place of a lock, a request succeeds without a
// warning.
func TestLockFaults(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name  string
		spoil func(t *testing.T, file string)
	}{
		{"garbage", func(t *testing.T, file string) { write(t, file, "garbage") }},
		{"a link", func(t *testing.T, file string) {
			outside := filepath.Join(tempDir(t), "outside")
			write(t, outside, "mine")
			must(t, os.Symlink(outside, file))
			t.Cleanup(func() {
				if data, err := os.ReadFile(outside); err != nil || string(data) != "mine" {
					t.Errorf("got %q, %v in the link's target, want it unchanged", data, err)
				}
			})
		}},
		{"a link to another file of the directory", func(t *testing.T, file string) {
			write(t, filepath.Join(filepath.Dir(file), "x"), "mine")
			must(t, os.Symlink("x", file))
		}},
		{"open to others", func(t *testing.T, file string) { write(t, file, ""); must(t, os.Chmod(file, 0o666)) }},
		{"a directory", func(t *testing.T, file string) { must(t, os.Mkdir(file, 0o700)) }},
		{"a pipe", func(t *testing.T, file string) { must(t, syscall.Mkfifo(file, 0o600)) }},
		{"a directory that is not empty", func(t *testing.T, file string) {
			must(t, os.MkdirAll(filepath.Join(file, "x"), 0o700))
		}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			n := newNode(t)
			_ = n.open()
			test.spoil(t, n.file(lockSuffix))
			n.want(Minted, 6*time.Hour, 1)
			n.wantWarned()
			n.want(Fresh, 6*time.Hour, 0)
		})
	}
}

// TestAnyBytes: the cache returns a secret of any bytes unchanged.
func TestAnyBytes(t *testing.T) {
	t.Parallel()
	n := newNode(t)
	n.token = tokenOf("secret-\xff\x00\n")
	n.want(Minted, 6*time.Hour, 1)
	if l := n.want(Fresh, 6*time.Hour, 0); l.Secret.Reveal() != "secret-\xff\x00\n" {
		t.Errorf("got %q, want the secret unchanged", l.Secret.Reveal())
	}
}

// TestLargeToken: an entry above the size limit is not written.
func TestLargeToken(t *testing.T) {
	t.Parallel()
	n := newNode(t)
	n.token = tokenOf("secret-" + strings.Repeat("x", maxFile))
	n.want(Minted, 6*time.Hour, 1)
	n.wantWarned("is not written: it is larger than 65536 bytes")
	n.want(Minted, 6*time.Hour, 1)
}

// TestNoSecret: an empty secret is returned, but not kept.
func TestNoSecret(t *testing.T) {
	t.Parallel()
	n := newNode(t)
	n.token.Secret = secret.Text{}
	for want := 1; want < 3; want++ {
		if l, err := n.pull(); err != nil || l.Outcome != Minted || n.calls != want {
			t.Errorf("got %+v, %v after %d calls, want a minted token after %d", l, err, n.calls, want)
		}
	}
	n.wantWarned()
}

// TestRefusalThatCannotBeWritten: a refusal drops the older token even if the
// refusal cannot be written.
func TestRefusalThatCannotBeWritten(t *testing.T) {
	t.Parallel()
	n := newNode(t)
	n.want(Minted, 6*time.Hour, 1)
	n.advance(7 * time.Hour)
	n.err = errRefused
	large := request
	large.Identity = strings.Repeat("x", maxFile)
	if _, err := n.open().Acquire(t.Context(), large, n.ask); err == nil {
		t.Fatal("got no error, want a refusal")
	}
	n.wantWarned("is not written: it is larger than 65536 bytes")
	n.err, n.calls = errUnavailable, 0
	n.wantError(errUnavailable.Error(), 1)
}
