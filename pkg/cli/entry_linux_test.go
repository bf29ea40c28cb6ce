package cli

import (
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

// TestHostileFile: --provider-config refuses a file that is too large or is not a
// regular file, and a file that even root cannot read.
func TestHostileFile(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	err := errors.Join(
		syscall.Mkfifo(at("fifo.yaml"), 0o600),
		os.Symlink("nowhere", at("dangling.yaml")),
		os.Symlink("loop.yaml", at("loop.yaml")),
		os.Symlink("/dev/zero", at("zero.yaml")),
		os.WriteFile(at("large.yaml"), []byte("kind: "), 0o600),
		os.Truncate(at("large.yaml"), 1<<30),
	)
	if err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{
		at("fifo.yaml"):     "fifo.yaml is not a regular file (p---------)",
		at("dangling.yaml"): "dangling.yaml: no such file or directory",
		at("loop.yaml"):     "loop.yaml: too many levels of symbolic links",
		at("zero.yaml"):     "zero.yaml is not a regular file (Dc---------)",
		at("large.yaml"):    "large.yaml is larger than 1048576 bytes",
		"/proc/self/mem":    "read /proc/self/mem: input/output error",
		dir:                 "fifo.yaml is not a regular file",
	} {
		t.Run(filepath.Base(path), func(t *testing.T) {
			t.Parallel()
			checkRefused(t, []string{"refresh", "--provider-config", path}, want)
		})
	}
}

// TestLinkedEntry: --provider-config follows a symbolic link, as the kubelet
// does.
func TestLinkedEntry(t *testing.T) {
	t.Parallel()
	dir := kubeletFiles{"files/p.yaml": kubeletConfig(anEntry("gcr", ""))}.write(t)
	link := filepath.Join(dir, "link.yaml")
	if err := os.Symlink("files/p.yaml", link); err != nil {
		t.Fatal(err)
	}
	checkRefused(t, []string{"refresh", "--provider-config", link}, "link.yaml has no provider named")
}
