package conformance

import (
	"debug/buildinfo"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// bin is the directory for programs that the tests compile.
var bin string

func TestMain(m *testing.M) { os.Exit(withBin(m)) }

func withBin(m *testing.M) int {
	var err error
	if bin, err = os.MkdirTemp("", "conformance"); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer func() { _ = os.RemoveAll(bin) }()
	return m.Run()
}

// compiling lets only one program compile at a time, because compilers need much
// memory.
var compiling sync.Mutex

// program compiles a program when it is first used, static and stripped as `make build`
// does. values are more flags of the linker.
func program(dir, pkg string, values ...string) func() (string, error) {
	return sync.OnceValues(func() (string, error) {
		compiling.Lock()
		defer compiling.Unlock()
		binary := filepath.Join(bin, filepath.Base(filepath.Join(dir, pkg)))
		cmd := exec.Command("go", "build", "-C", dir, "-ldflags", "-s -w "+strings.Join(values, " "), "-o", binary, pkg)
		cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOGC=300") // like the Makefile
		cmd.Stderr = os.Stderr                                      // shown once, not in each test that needs the program
		if err := cmd.Run(); err != nil {
			return "", fmt.Errorf("compiling %s in %s: %w", pkg, dir, err)
		}
		return binary, nil
	})
}

// plugin is built without a default cache and without a journal. It waits for AWS as
// long as a busy machine takes.
var plugin = program("../..", "./cmd/"+name, "-X main.cacheDirectory= -X main.patience=1m -X main.journal=")

// built returns the path of the compiled program.
func built(t *testing.T, program func() (string, error)) string {
	t.Helper()
	binary, err := program()
	if err != nil {
		t.Fatal(err)
	}
	return binary
}

// TestReleases: each program contains the Kubernetes release of its name.
func TestReleases(t *testing.T) {
	t.Parallel()
	for _, r := range releases {
		t.Run(r.version, func(t *testing.T) {
			t.Parallel()
			info, err := buildinfo.ReadFile(built(t, r.program))
			if err != nil {
				t.Fatal(err)
			}
			kubernetes := ""
			for _, module := range info.Deps {
				if module.Path == "k8s.io/kubernetes" {
					kubernetes = module.Version
				}
			}
			if !strings.HasPrefix(kubernetes, "v"+r.version+".") {
				t.Errorf("got Kubernetes %s, want %s", kubernetes, r.version)
			}
		})
	}
}
