//go:build linux

// Package attacks_test proves that the plugin withstands hostile input and faults. It
// builds the real program and runs it like a kubelet, against a fake AWS and its own
// listeners. Most files have families of attacks: tables in which each row has an input
// and the class of its outcome. After nearly every run, the tests also search for
// secrets: on stderr, in the log and in the cache. config-examples/SECURITY.md lists the
// families, and TestDocument checks that list.
package attacks_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"

	"ecr-cross-account-credential-provider/test/fakeaws"
)

const (
	module = "ecr-cross-account-credential-provider"
	root   = "../.."
)

// plugin is the program's path.
var plugin string

func TestMain(m *testing.M) { os.Exit(build(m)) }

// build builds the plugin once and runs the tests. This plugin has other defaults than
// a release. Its default configuration is default/config.yaml below the working
// directory. It has no cache and no journal unless a configuration names them.
func build(m *testing.M) int {
	dir, err := os.MkdirTemp("", "attacks")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir) //nolint:errcheck // a temporary directory
	plugin = filepath.Join(dir, module)
	defaults := "-s -w -X main.configuration=default/config.yaml -X main.cacheDirectory= -X main.patience=1m -X main.journal="
	cmd := exec.Command("go", "build", "-trimpath", "-ldflags", defaults, "-o", plugin, "./cmd/"+module)
	cmd.Dir, cmd.Env = root, append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "building the plugin: %v\n%s", err, out)
		return 1
	}
	return m.Run()
}

// cluster signs the tokens of service accounts.
var cluster = sync.OnceValues(func() (*fakeaws.Issuer, error) { return fakeaws.NewIssuer("https://oidc.example.com/cluster") })
