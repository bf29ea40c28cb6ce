package install

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"ecr-cross-account-credential-provider/pkg/procfs"
	"ecr-cross-account-credential-provider/pkg/providerconfig"
)

// testNode is the disk of a node, and an installer that works on it.
type testNode struct {
	*testing.T
	Installer
	root    string
	out     bytes.Buffer
	options Options
}

// newNode makes a node with files, given by path. Files below a bin directory are
// executable.
func newNode(t *testing.T, files map[string]string) *testNode {
	t.Helper()
	n := &testNode{T: t, root: t.TempDir()}
	for path, content := range files {
		n.write(path, content)
	}
	programs := t.TempDir()
	n.options = Options{Plugin: programs + "/plugin", Tool: programs + "/tool", Config: programs + "/config.yaml"}
	n.writeFile(n.options.Plugin, "#!/bin/sh\n# plugin 1\n", 0o755)
	n.writeFile(n.options.Tool, "#!/bin/sh\n# tool 1\n", 0o755)
	n.writeFile(n.options.Config, head+oneRole, 0o600)
	n.Installer = Installer{Root: n.root, Version: "v1", Out: &n.out, Execute: n.execute}
	return n
}

// execute stands in for the node's programs. The content of a kubelet's file is its
// version.
func (n *testNode) execute(_ context.Context, path string, args ...string) (string, error) {
	content, err := os.ReadFile(path)
	switch {
	case err != nil:
		return "", err
	case slices.Contains(args, "--version"):
		return string(content), nil
	case strings.Contains(string(content), "another architecture"):
		return "", errors.New("exec format error")
	case strings.Contains(string(content), "another program"):
		return "another v1", nil
	}
	return pluginName + " v1", nil
}

func (n *testNode) write(path, content string) {
	n.Helper()
	mode := fs.FileMode(0o644)
	if strings.Contains(path, "bin/") || strings.HasSuffix(path, "-provider") {
		mode = 0o755
	}
	n.writeFile(filepath.Join(n.root, path), content, mode)
}

func (n *testNode) writeFile(path, content string, mode fs.FileMode) {
	n.Helper()
	if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte(content), mode), os.Chmod(path, mode)); err != nil {
		n.Fatal(err)
	}
}

func (n *testNode) remove(path string) {
	n.Helper()
	if err := os.Remove(filepath.Join(n.root, path)); err != nil {
		n.Fatal(err)
	}
}

func (n *testNode) read(path string) string {
	n.Helper()
	content, err := os.ReadFile(filepath.Join(n.root, path))
	if err != nil {
		n.Fatal(err)
	}
	return string(content)
}

// snapshot returns everything on the disk, with modes.
func (n *testNode) snapshot() map[string]string {
	n.Helper()
	found := map[string]string{}
	err := filepath.WalkDir(n.root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || path == n.root {
			return err
		}
		info, err := entry.Info()
		if err != nil {
			return err
		}
		text := info.Mode().String()
		switch {
		case info.Mode().IsRegular():
			content, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			text += " " + string(content)
		case info.Mode()&fs.ModeSymlink != 0:
			link, err := os.Readlink(path)
			if err != nil {
				return err
			}
			text += " " + link
		}
		found[strings.TrimPrefix(path, n.root)] = text
		return nil
	})
	if err != nil {
		n.Fatal(err)
	}
	return found
}

func (n *testNode) install() {
	n.Helper()
	if err := n.Install(n.Context(), n.options); err != nil {
		n.Fatal(err)
	}
}

func (n *testNode) uninstall() {
	n.Helper()
	if err := n.Uninstall(n.Context(), Options{Restart: n.options.Restart}); err != nil {
		n.Fatal(err)
	}
}

// same checks that the disk is as it was.
func (n *testNode) same(before map[string]string) {
	n.Helper()
	if after := n.snapshot(); !maps.Equal(before, after) {
		n.Errorf("the disk changed: %s", cmp.Diff(before, after))
	}
}

// kubelet reads the files that a kubelet with these flags reads at its start, by the
// same rules.
func (n *testNode) kubelet(config, binDir, version string) []providerconfig.Provider {
	n.Helper()
	v, err := providerconfig.ParseVersion(version)
	if err != nil {
		n.Fatal(err)
	}
	c, problems := providerconfig.Load(filepath.Join(n.root, config), v)
	for _, p := range c.Providers {
		info, err := os.Stat(filepath.Join(n.root, binDir, p.Name))
		if err != nil || info.Mode()&0o111 == 0 {
			problems = append(problems, fmt.Errorf("the binary of %s: %w", p.Name, err))
		}
	}
	if len(problems) > 0 {
		n.Fatalf("the kubelet does not start: %v", problems)
	}
	return c.Providers
}

// refused checks that install fails and changes nothing.
func (n *testNode) refused(want string) {
	n.Helper()
	before := n.snapshot()
	err := n.Install(n.Context(), n.options)
	if err == nil || !strings.Contains(err.Error(), want) {
		n.Errorf("got %v, want %q", err, want)
	}
	n.same(before)
}

// runKubelet runs a kubelet on the node, with flags and an environment.
func (n *testNode) runKubelet(environ string, flags ...string) {
	n.Helper()
	proc := n.TempDir()
	files := map[string]string{
		"comm": "kubelet\n", "cmdline": strings.Join(append([]string{"kubelet"}, flags...), "\x00") + "\x00", "environ": environ,
	}
	for name, content := range files {
		n.writeFile(filepath.Join(proc, "7", name), content, 0o600)
	}
	n.Proc = procfs.FS(proc)
}
