// Command mutants tests the tests. It breaks the code in one place at a time, and runs
// the tests that should fail. It prints each break, and whether a test finds it. It
// works in a copy of the tree.
//
// It exits with 1 if there is a break that no test finds, or if the code no longer
// contains the text of a break.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"log"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"regexp"
	"strings"
	"time"
)

// limit ends tests that hang because of a break. A hang counts as a failure, so the
// break is found.
const limit = 10 * time.Minute

func main() {
	log.SetFlags(0)
	only := flag.String("run", ".", "make only the breaks whose file or text matches this `regexp`")
	flag.Parse()
	wanted, err := regexp.Compile(*only)
	if err != nil {
		log.Fatal(err)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, os.Stdout, ".", wanted); err != nil {
		stop()
		log.Fatal(err) //nolint:gocritic // stop was already called
	}
}

// run makes the chosen breaks in a copy of the tree.
func run(ctx context.Context, w io.Writer, tree string, wanted *regexp.Regexp) error {
	dir, err := os.MkdirTemp("", "mutants")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir) //nolint:errcheck // a temporary directory
	if err := copyTree(tree, dir); err != nil {
		return err
	}
	var made, bad int
	for _, m := range mutants {
		if !wanted.MatchString(m.file + " " + m.old) {
			continue
		}
		made++
		found, err := m.play(ctx, dir, goTest)
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case err != nil:
			bad++
			fmt.Fprintf(w, "error     %s: %v\n", m, err)
		case !found:
			bad++
			fmt.Fprintf(w, "survives  %s\n", m)
		default:
			fmt.Fprintf(w, "found     %s\n", m)
		}
	}
	if bad > 0 || made == 0 {
		return fmt.Errorf("%d of %d breaks are not found, or end in an error", bad, made)
	}
	fmt.Fprintf(w, "Tests find all %d breaks.\n", made)
	return nil
}

// tester runs the tests of packages in a directory, and reports whether they pass.
type tester func(ctx context.Context, dir string, packages []string) (pass bool, err error)

// play makes the break, runs its tests, and reports whether one of them found it. It
// restores the file.
func (m mutant) play(ctx context.Context, dir string, test tester) (found bool, err error) {
	path := filepath.Join(dir, m.file)
	whole, err := os.ReadFile(path)
	if err != nil {
		return false, err
	}
	if n := strings.Count(string(whole), m.old); n != 1 {
		return false, fmt.Errorf("the file has the old text %d times, want once", n)
	}
	defer func() { err = errors.Join(err, os.WriteFile(path, whole, 0o644)) }()
	if err := os.WriteFile(path, []byte(strings.Replace(string(whole), m.old, m.broken, 1)), 0o644); err != nil {
		return false, err
	}
	pass, err := test(ctx, dir, m.packages)
	return !pass, err
}

// goTest first compiles. A break that does not compile is an error, and does not
// count as found.
func goTest(ctx context.Context, dir string, packages []string) (bool, error) {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	compile := exec.CommandContext(ctx, "go", append([]string{"vet"}, packages...)...)
	compile.Dir = dir
	if out, err := compile.CombinedOutput(); err != nil {
		return false, fmt.Errorf("go vet: %w\n%s", err, out)
	}
	tests := exec.CommandContext(ctx, "go", append([]string{"test", "-failfast", "-timeout", limit.String()}, packages...)...)
	tests.Dir = dir
	return tests.Run() == nil, nil
}

// copyTree copies the tree, without the git history and the built programs.
func copyTree(from, to string) error {
	return filepath.WalkDir(from, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name, err := filepath.Rel(from, path)
		switch {
		case err != nil:
			return err
		case name == ".git" || name == "bin":
			if entry.IsDir() {
				return fs.SkipDir
			}
			return nil
		case entry.IsDir():
			return os.MkdirAll(filepath.Join(to, name), 0o755)
		case !entry.Type().IsRegular():
			return nil
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		return os.WriteFile(filepath.Join(to, name), text, 0o644)
	})
}
