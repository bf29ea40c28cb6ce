//go:build unix

package requestlog_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"ecr-cross-account-credential-provider/pkg/cache"
	"ecr-cross-account-credential-provider/pkg/provider"
	"ecr-cross-account-credential-provider/pkg/requestlog"
	"ecr-cross-account-credential-provider/pkg/trace"
)

func TestStream(t *testing.T) {
	t.Parallel()
	now := ticking()
	tr := trace.Start(now)
	tr.Step("token")()
	tr.Answered("id-1")
	var out bytes.Buffer
	if err := requestlog.New(served(cache.Minted, time.Hour), "", tr, now()).ToStream(t.Context(), &out); err != nil {
		t.Fatal(err)
	}
	want := `{"time":"2026-03-01T03:00:00.004Z","level":"INFO","msg":"` + image + `: minted token of ` + role + ` (registries[0]), kept for 1h; took 4ms",` +
		`"image":"` + image + `","registry":"` + host + `","entry":"registries[0]","identity":"` + role + `","outcome":"minted","cache_duration":"1h",` +
		`"duration_ms":4,"token_ms":1,"aws_request_id":["id-1"]}` + "\n"
	if diff := cmp.Diff(want, out.String()); diff != "" {
		t.Error("(-want +got)", diff)
	}
}

// TestStreamHasTheErrorOnce: the message does not repeat the fields error and note.
func TestStreamHasTheErrorOnce(t *testing.T) {
	t.Parallel()
	stale := served(cache.Stale, time.Minute)
	stale.Notes = []string{"MARKER"}
	for name, o := range map[string]provider.Outcome{"error": {Image: image, Err: errors.New("MARKER")}, "note": stale} {
		var out bytes.Buffer
		if err := newEntry(o).ToStream(t.Context(), &out); err != nil {
			t.Fatal(err)
		}
		if n := strings.Count(out.String(), "MARKER"); n != 1 {
			t.Errorf("%s occurs %d times, want once: %s", name, n, out.String())
		}
	}
}

// TestFile: many processes append to one file, and every line is complete.
func TestFile(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "log")
	var wait sync.WaitGroup
	for range 30 {
		wait.Go(func() {
			if err := newEntry(served(cache.Minted, time.Hour)).ToFile(t.Context(), path); err != nil && !strings.Contains(err.Error(), "within 200ms") {
				t.Error(err)
			}
		})
	}
	wait.Wait()
	info, err := os.Stat(path)
	if err != nil || info.Mode() != 0o600 {
		t.Fatalf("got %v, %v, want mode 0600", info, err)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		if !json.Valid([]byte(line)) {
			t.Errorf("got %q, want a line of JSON", line)
		}
	}
}

// TestFileLink: ToFile follows a symbolic link of this user.
func TestFileLink(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	target, link := filepath.Join(dir, "target"), filepath.Join(dir, "link")
	if err := errors.Join(os.WriteFile(target, nil, 0o600), os.Symlink(target, link)); err != nil {
		t.Fatal(err)
	}
	if err := newEntry(served(cache.Minted, time.Hour)).ToFile(t.Context(), link); err != nil {
		t.Fatal(err)
	}
	if text, err := os.ReadFile(target); err != nil || len(text) == 0 {
		t.Errorf("the link's target has %q, %v, want the entry", text, err)
	}
}

func TestFileErrors(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	pipe, file := filepath.Join(dir, "pipe"), filepath.Join(dir, "file")
	dangling, toPipe := filepath.Join(dir, "dangling"), filepath.Join(dir, "to-pipe")
	err := errors.Join(syscall.Mkfifo(pipe, 0o600), os.WriteFile(file, nil, 0o600),
		os.Symlink(pipe, toPipe), os.Symlink(filepath.Join(dir, "absent"), dangling))
	if err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{
		pipe:                         "not a regular file",
		toPipe:                       "not a regular file",
		dir:                          "not a regular file",
		"/dev/full":                  "not a regular file",
		dangling:                     "no such file or directory",
		filepath.Join(dir, "no/log"): "no such file or directory",
		filepath.Join(file, "log"):   "not a directory",
	} {
		err := newEntry(served(cache.Minted, time.Hour)).ToFile(t.Context(), path)
		if want = "the log " + path + ": " + want; err == nil || err.Error() != want {
			t.Errorf("got %v, want %s", err, want)
		}
	}
	if info, err := os.Stat(pipe); err != nil || info.Mode().Type() != fs.ModeNamedPipe {
		t.Errorf("the pipe became %v, %v, want it unchanged", info, err)
	}
}

// TestFileOfAnotherUser: ToFile refuses a file or a link of another user. Only root can
// make one for the test.
func TestFileOfAnotherUser(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file, link := filepath.Join(dir, "file"), filepath.Join(dir, "link")
	if err := errors.Join(os.WriteFile(file, nil, 0o666), os.Symlink(filepath.Join(dir, "victim"), link)); err != nil {
		t.Fatal(err)
	}
	if os.Geteuid() != 0 {
		t.Log("not root, so no file of another user can be made")
		return
	}
	if err := errors.Join(os.Chown(file, 4711, 4711), os.Lchown(link, 4711, 4711)); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{file: ": owned by user 4711", link: ": a symbolic link owned by user 4711"} {
		if err := newEntry(served(cache.Minted, time.Hour)).ToFile(t.Context(), path); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %s", err, want)
		}
	}
	if _, err := os.Stat(filepath.Join(dir, "victim")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("ToFile followed the link: %v", err)
	}
}
