// Package release_test makes releases with `make dist` in a clean clone, and uses them
// like an operator. It needs root on Debian, and the packages that `make dist-test`
// installs.
package release_test

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
)

const name = "ecr-cross-account-credential-provider"

// scratch is a directory that all tests share.
var scratch string

func TestMain(m *testing.M) { os.Exit(inScratch(m)) }

func inScratch(m *testing.M) int {
	dir, err := os.MkdirTemp("", "release")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir) //nolint:errcheck // a temporary directory
	scratch = dir
	return m.Run()
}

// release is the output of make dist in a clone.
type release struct {
	clone, dist string
	version     string // without the v
	commit      string
	date        string // of the commit
}

// These are the releases: two of the same commit, and one of a later version.
var (
	first  = sync.OnceValues(func() (release, error) { return makeRelease("a", false) })
	second = sync.OnceValues(func() (release, error) {
		return makeRelease("another/place of a clone", false, "TZ=Asia/Kolkata", "SOURCE_DATE_EPOCH=1", "LC_ALL=C", "GOFLAGS=-buildvcs=false")
	})
	next = sync.OnceValues(func() (release, error) { return makeRelease("next", true) })
)

// get returns a release. The first test that needs the release makes it.
func get(t *testing.T, of func() (release, error)) release {
	t.Helper()
	r, err := of()
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// makeRelease clones HEAD and runs make dist. Its umask changes the modes in the clone.
func makeRelease(dir string, bump bool, env ...string) (release, error) {
	r := release{clone: filepath.Join(scratch, dir)}
	r.dist = filepath.Join(r.clone, "dist")
	umask := "022"
	if len(env) > 0 {
		umask = "077"
	}
	if _, err := output("", nil, "sh", "-c", "umask "+umask+" && exec git clone -q --no-hardlinks ../../.. \"$0\"", r.clone); err != nil {
		return r, err
	}
	file := filepath.Join(r.clone, "pkg/command/VERSION")
	version, err := os.ReadFile(file)
	if err != nil {
		return r, err
	}
	r.version = strings.TrimPrefix(strings.TrimSpace(string(version)), "v")
	if bump {
		if r.version, err = bumped(r.version); err != nil {
			return r, err
		}
		if err := os.WriteFile(file, []byte("v"+r.version+"\n"), 0o600); err != nil {
			return r, err
		}
		if _, err := output(r.clone, nil, "git", "-c", "user.name=test", "-c", "user.email=test@localhost", "commit", "-qam", "next version"); err != nil {
			return r, err
		}
	}
	facts, err := output(r.clone, []string{"TZ=UTC"}, "git", "log", "-1", "--format=%H %cd", "--date=format-local:%Y-%m-%dT%H:%M:%SZ")
	if err != nil {
		return r, err
	}
	r.commit, r.date, _ = strings.Cut(strings.TrimSpace(facts), " ")
	_, err = output(r.clone, env, "sh", "-c", "umask "+umask+" && exec make dist")
	return r, err
}

// bumped returns the next patch version.
func bumped(version string) (string, error) {
	i := strings.LastIndex(version, ".") + 1
	patch, err := strconv.Atoi(version[i:])
	return version[:i] + strconv.Itoa(patch+1), err
}

// output runs a program, and returns what it prints. The program gets the environment
// of the tests plus env, without the variables of make.
func output(dir string, env []string, program string, args ...string) (string, error) {
	cmd := exec.Command(program, args...)
	cmd.Dir = dir
	for _, variable := range os.Environ() {
		if !strings.HasPrefix(variable, "MAKE") && !strings.HasPrefix(variable, "MFLAGS=") {
			cmd.Env = append(cmd.Env, variable)
		}
	}
	cmd.Env = append(cmd.Env, env...)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		return stdout.String(), fmt.Errorf("%s %s: %w\n%s", program, strings.Join(args, " "), err, &stderr)
	}
	return stdout.String(), nil
}

// must runs a program that must succeed, and returns what it prints.
func must(t *testing.T, program string, args ...string) string {
	t.Helper()
	out, err := output("", nil, program, args...)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// file returns the one file of a release whose name matches.
func (r release) file(t *testing.T, pattern string) string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(r.dist, pattern))
	if err != nil || len(files) != 1 {
		t.Fatalf("%s: got %q, error %v; want one file", pattern, files, err)
	}
	return files[0]
}
