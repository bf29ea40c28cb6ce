package conformance

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// build makes the plugin's binary, once, as `make build` does.
var build = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "conformance")
	if err != nil {
		return "", err
	}
	binary := filepath.Join(dir, "plugin")
	cmd := exec.Command("go", "build", "-trimpath", "-o", binary, "./cmd/ecr-cross-account-credential-provider")
	cmd.Dir = "../.."
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("%w: %s", err, out)
	}
	return binary, nil
})

// installation is a folder of plugins on a node, which counts their runs.
type installation struct{ dir string }

// install puts the plugin under each of some names. What the kubelet runs is a
// script that notes the run and becomes the plugin.
func install(t *testing.T, names ...string) installation {
	t.Helper()
	binary, err := build()
	if err != nil {
		t.Fatal(err)
	}
	i := installation{t.TempDir()}
	for _, name := range names {
		script := fmt.Sprintf("#!/bin/sh\necho >>%s.runs\nexec %s \"$@\"\n", i.path(name), binary)
		writeFile(t, i.path(name), script, 0o755)
	}
	return i
}

func (i installation) path(name string) string { return filepath.Join(i.dir, name) }

// runs is how often the kubelet has run a plugin.
func (i installation) runs(t *testing.T, name string) int {
	t.Helper()
	noted, err := os.ReadFile(i.path(name) + ".runs")
	if err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
	return strings.Count(string(noted), "\n")
}

func writeFile(t *testing.T, path, text string, mode os.FileMode) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), mode); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, mode); err != nil { // whatever the umask
		t.Fatal(err)
	}
}
