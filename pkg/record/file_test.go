//go:build unix

package record_test

import (
	"bytes"
	"encoding/json"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"ecr-cross-account-credential-provider/pkg/record"
)

func TestStream(t *testing.T) {
	t.Parallel()
	r := pull()
	r.Set(record.Source, "minted")
	r.Step("token")()
	r.Answered("id-1")
	var out bytes.Buffer
	if err := r.ToStream(t.Context(), &out); err != nil {
		t.Fatal(err)
	}
	want := `{"time":"2026-03-01T03:00:00.004Z","level":"INFO","msg":"` + image + `: minted token of ` + role + ` (registries[0]); took 3ms",` +
		`"image":"` + image + `","rule":"registries[0]","identity":"` + role + `","source":"minted","duration_ms":3,"token_ms":1,"aws_request_id":["id-1"]}` + "\n"
	if diff := cmp.Diff(want, out.String()); diff != "" {
		t.Error("(-want +got)", diff)
	}
}

// TestFile: many processes append to one file, and every line is whole.
func TestFile(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "log")
	var wait sync.WaitGroup
	for range 30 {
		wait.Go(func() {
			if err := pull().ToFile(t.Context(), path); err != nil && !strings.Contains(err.Error(), "within 200ms") {
				t.Error(err)
			}
		})
	}
	wait.Wait()
	info, err := os.Stat(path)
	if err != nil || info.Mode() != 0o600 {
		t.Fatalf("got %v, %v", info.Mode(), err)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		if !json.Valid([]byte(line)) {
			t.Errorf("not a line of JSON: %q", line)
		}
	}
}

func TestFileErrors(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	pipe, file, full := filepath.Join(dir, "pipe"), filepath.Join(dir, "file"), "/dev/full"
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(pipe, filepath.Join(dir, "link")); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{
		pipe:                         "not a regular file",
		filepath.Join(dir, "link"):   "not a regular file",
		dir:                          "not a regular file",
		full:                         "not a regular file",
		filepath.Join(dir, "no/log"): "no such file or directory",
		filepath.Join(file, "log"):   "not a directory",
	} {
		begin := time.Now()
		err := pull().ToFile(t.Context(), path)
		if want = "the log " + path + ": " + want; err == nil || err.Error() != want {
			t.Errorf("got %v, want %s", err, want)
		}
		if took := time.Since(begin); took > time.Second {
			t.Errorf("%s took %s", path, took)
		}
	}
	if info, err := os.Stat(pipe); err != nil || info.Mode().Type() != fs.ModeNamedPipe {
		t.Errorf("the pipe is %v, %v", info, err)
	}
}
