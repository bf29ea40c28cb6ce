//go:build unix

package boundedfile_test

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"ecr-cross-account-credential-provider/pkg/boundedfile"
)

func TestRead(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	for _, err := range []error{
		os.WriteFile(at("full"), []byte("12345"), 0o600),
		os.WriteFile(at("empty"), nil, 0o600),
		os.WriteFile(at("larger"), []byte("123456"), 0o600),
		os.Symlink("full", at("link")),
		os.Symlink("/dev/zero", at("zeros")),
		syscall.Mkfifo(at("pipe"), 0o600),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	for name, test := range map[string]struct{ content, err string }{
		"full":   {"12345", ""},
		"empty":  {"", ""},
		"link":   {"12345", ""},
		"larger": {"", "larger is larger than 5 bytes"},
		"zeros":  {"", "zeros is not a regular file (Dc---------)"},
		"pipe":   {"", "pipe is not a regular file (p---------)"},
		".":      {"", "is not a regular file (d---------)"},
		"absent": {"", "absent: no such file or directory"},
	} {
		content, err := boundedfile.Read(at(name), 5)
		if string(content) != test.content || (err == nil) != (test.err == "") || err != nil && !strings.HasSuffix(err.Error(), test.err) {
			t.Errorf("%s: got %q, %v, want %q, %q", name, content, err, test.content, test.err)
		}
	}
}
