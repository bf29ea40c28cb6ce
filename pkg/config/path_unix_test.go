//go:build unix

package config_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"ecr-cross-account-credential-provider/pkg/config"
)

func TestLoadNoFile(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	regular := write(t, good)
	loop := filepath.Join(dir, "loop")
	dangling := filepath.Join(dir, "dangling")
	toDir := filepath.Join(dir, "to-dir")
	link(t, loop, loop)
	link(t, filepath.Join(dir, "nowhere"), dangling)
	link(t, dir, toDir)
	const missing = "not found"
	tests := []struct{ name, file, want string }{
		{"missing", filepath.Join(dir, "config.yaml"), missing},
		{"missing directory", filepath.Join(dir, "a", "b", "config.yaml"), missing},
		{"dangling link", dangling, missing},
		{"directory", dir, "not a regular file"},
		{"link to a directory", toDir, "not a regular file"},
		{"device", os.DevNull, "not a regular file"},
		{"link to itself", loop, "cannot be read: too many levels of symbolic links"},
		{"below a file", filepath.Join(regular, "config.yaml"), "cannot be read: not a directory"},
		{"long name", filepath.Join(dir, strings.Repeat("x", 300)), "cannot be read: file name too long"},
		{"NUL in the name", dir + "/a\x00b", "cannot be read: invalid argument"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			_, err := config.Load(test.file, nil)
			compare(t, problems(t, test.file, err), []string{test.want})
		})
	}
}

func TestLoadLinks(t *testing.T) {
	t.Parallel()
	file := write(t, good)
	name := filepath.Join(t.TempDir(), "link")
	link(t, file, name)
	c, err := config.Load(name, nil)
	if err != nil || c.File != name {
		t.Errorf("got %q, %v; want %q", c.File, err, name)
	}
}

func link(t *testing.T, to, name string) {
	t.Helper()
	if err := os.Symlink(to, name); err != nil {
		t.Fatal(err)
	}
}

func TestLoadLogFile(t *testing.T) {
	t.Parallel()
	got := load(t, good+"log: {destination: /var/log/pulls.json}\n").Log
	if want := (config.Log{Destination: config.ToFile, File: "/var/log/pulls.json"}); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
}
