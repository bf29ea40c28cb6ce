package release_test

import (
	"bytes"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
	"testing"
)

// TestReproducible: two clones of a commit give the same files. The clones differ in
// paths, umasks, time zones and variables.
func TestReproducible(t *testing.T) {
	t.Parallel()
	one, two := get(t, first), get(t, second)
	names := files(t, one.dist)
	if got := files(t, two.dist); strings.Join(got, "\n") != strings.Join(names, "\n") {
		t.Fatalf("got different files from two clones:\n%q\n%q", names, got)
	}
	if len(names) < 40 {
		t.Errorf("got %d files, want at least 40", len(names))
	}
	for _, name := range names {
		a, b := read(t, one, name), read(t, two, name)
		if !bytes.Equal(a, b) || mode(t, one, name) != mode(t, two, name) {
			t.Errorf("%s: got different bytes or modes from two clones of a commit", name)
		}
		// The clones share Go's build cache, which could hide a path of the first
		// clone.
		if bytes.Contains(a, []byte(scratch)) {
			t.Errorf("%s: got the path of its clone, want none", name)
		}
	}
}

func mode(t *testing.T, r release, name string) fs.FileMode {
	t.Helper()
	info, err := os.Stat(filepath.Join(r.dist, name))
	if err != nil {
		t.Fatal(err)
	}
	return info.Mode()
}

// files returns all files below a directory.
func files(t *testing.T, dir string) (names []string) {
	t.Helper()
	err := fs.WalkDir(os.DirFS(dir), ".", func(name string, entry fs.DirEntry, err error) error {
		if err == nil && !entry.IsDir() {
			names = append(names, name)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return names
}

func read(t *testing.T, r release, name string) []byte {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(r.dist, name))
	if err != nil {
		t.Fatal(err)
	}
	return content
}

// TestSums: sha256sum accepts the checksums, and they cover all files.
func TestSums(t *testing.T) {
	t.Parallel()
	r := get(t, first)
	if _, err := output(r.dist, nil, "sha256sum", "--check", "--strict", "--quiet", "SHA256SUMS"); err != nil {
		t.Error(err)
	}
	summed := map[string]bool{}
	for line := range strings.Lines(string(read(t, r, "SHA256SUMS"))) {
		summed[strings.TrimSpace(line[64:])] = true
	}
	for _, name := range files(t, r.dist) {
		switch {
		case name == "SHA256SUMS":
		case strings.HasSuffix(name, ".sha256"):
			if _, err := output(filepath.Join(r.dist, path.Dir(name)), nil, "sha256sum", "--check", "--strict", "--quiet", path.Base(name)); err != nil {
				t.Error(err)
			}
		case !summed[name]:
			t.Errorf("got SHA256SUMS without %s", name)
		}
	}
}

// TestArchives: each archive has the programs and the other files in one directory. The
// programs for linux/amd64 run.
func TestArchives(t *testing.T) {
	t.Parallel()
	r := get(t, first)
	for platform, suffix := range map[string]string{"linux-amd64": ".tar.gz", "linux-arm64": ".tar.gz", "windows-amd64": ".zip"} {
		top, dir := fmt.Sprintf("%s-v%s-%s", name, r.version, platform), t.TempDir()
		archive, exe := r.file(t, top+suffix), ""
		if suffix == ".zip" {
			exe = ".exe"
			must(t, "python3", "-m", "zipfile", "-e", archive, dir)
		} else {
			must(t, "tar", "-xzf", archive, "-C", dir)
		}
		for _, want := range []string{
			name + exe, "ecr-cross-account" + exe, "LICENSE", "README.md", "config-examples/minimal.yaml", "config-examples/TROUBLESHOOTING.md",
			"config-examples/systemd/ecr-cross-account-refresh.service", "man/ecr-cross-account.1", "man/" + name + ".1",
			"completions/ecr-cross-account.bash", "completions/_ecr-cross-account",
		} {
			if info, err := os.Stat(filepath.Join(dir, top, want)); err != nil || info.Size() == 0 {
				t.Errorf("%s: got no %s, error %v", archive, want, err)
			}
		}
		if platform == "linux-amd64" {
			r.wantVersion(t, filepath.Join(dir, top, name))
			r.wantVersion(t, filepath.Join(dir, top, "ecr-cross-account"))
		}
	}
}
