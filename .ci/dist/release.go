package main

import (
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// release writes artifacts into a directory.
type release struct {
	source source
	dir    string
	sums   []string // lines of SHA256SUMS
}

// add writes an artifact. Beside it, add writes the list of its components.
func (r *release) add(f file, programs ...program) error {
	if err := r.write(f); err != nil {
		return err
	}
	components, err := componentsOf(f, programs, r.source)
	if err != nil {
		return err
	}
	return r.write(file{name: f.name + ".cdx.json", content: components, mode: 0o644})
}

// write writes a file. It records the checksum, unless the file itself holds one.
func (r *release) write(f file) error {
	path := filepath.Join(r.dir, filepath.FromSlash(f.name))
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	if err := os.WriteFile(path, f.content, f.mode); err != nil {
		return err
	}
	if !strings.HasSuffix(f.name, ".sha256") {
		r.sums = append(r.sums, string(sumLine(f.content, f.name)))
	}
	return os.Chmod(path, f.mode) // whatever the umask is
}

// writeSums writes SHA256SUMS, for sha256sum -c.
func (r *release) writeSums() error {
	slices.SortFunc(r.sums, func(a, b string) int { return strings.Compare(a[2*sha256.Size:], b[2*sha256.Size:]) })
	return r.write(file{name: "SHA256SUMS", content: []byte(strings.Join(r.sums, "")), mode: 0o644})
}

// sumLine returns the line that sha256sum prints. kOps reads its first word.
func sumLine(content []byte, name string) []byte {
	return fmt.Appendf(nil, "%x  %s\n", sha256.Sum256(content), name)
}
