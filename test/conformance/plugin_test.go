package conformance

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// installation is a node's directory of plugins. It counts their runs.
type installation struct{ dir string }

// install installs the plugin under each of the names. The kubelet runs a script that
// records the run and then executes the plugin.
func install(t *testing.T, names ...string) installation {
	t.Helper()
	binary := built(t, plugin)
	i := installation{t.TempDir()}
	for _, name := range names {
		script := fmt.Sprintf("#!/bin/sh\necho >>%s\nexec %s \"$@\"\n", i.path("runs"), binary)
		writeFile(t, i.path(name), script, 0o755)
	}
	return i
}

func (i installation) path(name string) string { return filepath.Join(i.dir, name) }

// runs returns how often the kubelet has run a plugin, under any name.
func (i installation) runs(t *testing.T) int {
	t.Helper()
	noted, err := os.ReadFile(i.path("runs"))
	if err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
	return strings.Count(string(noted), "\n")
}

// configure writes a CredentialProviderConfig with some entries, and returns its
// path.
func (i installation) configure(t *testing.T, file string, entries ...string) string {
	t.Helper()
	path := i.path(file)
	writeFile(t, path, "apiVersion: kubelet.config.k8s.io/v1\nkind: CredentialProviderConfig\nproviders:\n"+strings.Join(entries, ""), 0o644)
	return path
}

// entry returns a provider of a CredentialProviderConfig. The provider is the plugin
// under a name, with its own configuration if config is not empty.
func entry(t *testing.T, name, version, config string) string {
	t.Helper()
	args := "[get-credentials]"
	if config != "" {
		path := filepath.Join(t.TempDir(), "config.yaml")
		writeFile(t, path, "apiVersion: ecr-cross-account-credential-provider/v1alpha1\nkind: CrossAccountConfig\n"+config, 0o644)
		args = fmt.Sprintf("[%q, get-credentials]", "--config="+path)
	}
	return fmt.Sprintf(`- name: %s
  apiVersion: credentialprovider.kubelet.k8s.io/%s
  matchImages:
  - "*.dkr.ecr*.*.amazonaws.com"
  - "*.dkr.ecr*.*.amazonaws.com:443"
  - "*.dkr-ecr*.*.on.aws"
  - public.ecr.aws
  - docker.io
  defaultCacheDuration: "0s"
  args: %s
`, name, version, args)
}

func writeFile(t *testing.T, path, text string, mode os.FileMode) {
	t.Helper()
	// A child that another goroutine forks now would keep the file open until it
	// executes its program. Until then nobody could run the file ("text file busy").
	syscall.ForkLock.RLock()
	defer syscall.ForkLock.RUnlock()
	if err := os.WriteFile(path, []byte(text), mode); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, mode); err != nil { // for any umask
		t.Fatal(err)
	}
}

func readFile(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
