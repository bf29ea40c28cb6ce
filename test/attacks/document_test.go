//go:build linux

package attacks_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

var (
	namedTest   = regexp.MustCompile("`((?:Test|Fuzz)[A-Za-z0-9]+)`")
	definedTest = regexp.MustCompile(`(?m)^func ((?:Test|Fuzz)[A-Za-z0-9]+)\(`)
)

// TestDocument: SECURITY.md names every test of this package. Each test that it names
// exists.
func TestDocument(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile(filepath.Join(root, "config-examples", "SECURITY.md"))
	if err != nil {
		t.Fatal(err)
	}
	var named []string
	for _, match := range namedTest.FindAllStringSubmatch(string(text), -1) {
		named = append(named, match[1])
	}
	here := tests(t, ".")
	all := append(tests(t, filepath.Join(root, "pkg")), here...)
	for _, name := range named {
		if !slices.Contains(all, name) {
			t.Errorf("SECURITY.md names %s, which does not exist", name)
		}
	}
	for _, name := range here {
		if name != "TestMain" && name != "TestDocument" && !slices.Contains(named, name) {
			t.Errorf("SECURITY.md does not name %s", name)
		}
	}
}

// tests returns the names of all tests below a directory.
func tests(t *testing.T, dir string) (names []string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, _ fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, "_test.go") {
			return err
		}
		text, err := os.ReadFile(path)
		for _, match := range definedTest.FindAllStringSubmatch(string(text), -1) {
			names = append(names, match[1])
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return names
}
