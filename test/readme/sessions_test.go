package readme_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// TestSessions runs each console block in a copy of the repository. A shell runs each
// line after "$ ", together with the lines after "> " that follow it. The output must
// equal the block. A line "..." stands for any number of lines.
func TestSessions(t *testing.T) {
	t.Parallel()
	sessions := 0
	for _, p := range pages(t) {
		for _, b := range p.blocks {
			if b.language != "console" {
				continue
			}
			sessions++
			t.Run(b.where(0), func(t *testing.T) {
				t.Parallel()
				runSession(t, b)
			})
		}
	}
	if sessions < 5 {
		t.Errorf("got only %d sessions", sessions)
	}
}

func runSession(t *testing.T, b block) {
	t.Helper()
	steps, err := b.steps()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := copyTree(dir); err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(steps[0].command, "make ") {
		linkBinaries(t, dir)
	}
	for _, s := range steps {
		s.run(t, dir)
	}
}

// step is a command of a session, with its output.
type step struct {
	where   string
	command string
	want    []string
}

func (b block) steps() ([]step, error) {
	var steps []step
	for i, line := range b.text {
		if command, ok := strings.CutPrefix(line, "$ "); ok {
			steps = append(steps, step{where: b.where(i), command: command})
			continue
		}
		if len(steps) == 0 {
			return nil, fmt.Errorf("%s: the session does not begin with a command", b.where(0))
		}
		last := &steps[len(steps)-1]
		if more, ok := strings.CutPrefix(line, "> "); ok && last.want == nil {
			last.command += "\n" + more
			continue
		}
		last.want = append(last.want, line)
	}
	if len(steps) == 0 {
		return nil, fmt.Errorf("%s: the session is empty", b.where(0))
	}
	return steps, nil
}

func (s step) run(t *testing.T, dir string) {
	t.Helper()
	if strings.Contains(s.command, "make test") {
		t.Fatalf("%s: a session can't run the tests that run it", s.where)
	}
	out, err := shell(t.Context(), dir, s.command)
	if err != nil {
		t.Fatalf("%s: %s: %v\n%s", s.where, s.command, err, out)
	}
	var got []string
	if out != "" {
		got = strings.Split(strings.TrimSuffix(out, "\n"), "\n")
	}
	for i := range got {
		got[i] = strings.TrimRight(got[i], " ")
	}
	if !match(s.want, got) {
		t.Errorf("%s: %s\nwrites\n%s\nand the page has\n%s", s.where, s.command, strings.Join(got, "\n"), strings.Join(s.want, "\n"))
	}
}

func match(want, got []string) bool {
	switch {
	case len(want) == 0:
		return len(got) == 0
	case want[0] == "...":
		return match(want[1:], got) || len(got) > 0 && match(want, got[1:])
	}
	return len(got) > 0 && want[0] == got[0] && match(want[1:], got[1:])
}

// shell runs a command like a user who has just cloned the repository.
func shell(ctx context.Context, dir, command string) (string, error) {
	env, err := environment()
	if err != nil {
		return "", err
	}
	cmd := exec.CommandContext(ctx, "sh", "-e", "-c", command)
	cmd.Dir, cmd.Env = dir, env
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// environment returns an environment with an empty home and Go's caches. It has no
// variables of AWS, or of the make that runs the tests.
var environment = sync.OnceValues(func() ([]string, error) {
	home := filepath.Join(scratch, "home")
	if err := os.MkdirAll(home, 0o755); err != nil {
		return nil, err
	}
	env := []string{"HOME=" + home}
	for _, variable := range os.Environ() {
		name, _, _ := strings.Cut(variable, "=")
		if name != "HOME" && name != "MFLAGS" && !strings.HasPrefix(name, "AWS_") && !strings.HasPrefix(name, "ECR_") && !strings.HasPrefix(name, "MAKE") {
			env = append(env, variable)
		}
	}
	for _, name := range []string{"GOENV", "GOPATH", "GOMODCACHE", "GOCACHE"} {
		value, err := exec.CommandContext(context.Background(), "go", "env", name).Output()
		if err != nil {
			return nil, fmt.Errorf("go env %s: %w", name, err)
		}
		env = append(env, name+"="+strings.TrimSpace(string(value)))
	}
	return env, nil
})

// copyTree copies the repository without .git and bin. The files' modes are those of a
// clone under umask 002. The sessions must work there, although the plugin refuses a
// configuration that the group may write.
func copyTree(to string) error {
	return filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) { // a temporary file of another process is gone
			return nil
		}
		if err != nil {
			return err
		}
		name, err := filepath.Rel(root, path)
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
		return copyFile(path, filepath.Join(to, name), entry)
	})
}

func copyFile(from, to string, entry fs.DirEntry) error {
	info, err := entry.Info()
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	data, err := os.ReadFile(from)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	mode := 0o664 | info.Mode().Perm()&0o111
	if err := os.WriteFile(to, data, mode); err != nil {
		return err
	}
	return os.Chmod(to, mode) // for any umask
}

// built returns the directory bin of a copy of the repository, after make build.
var built = sync.OnceValues(func() (string, error) {
	dir := filepath.Join(scratch, "built")
	if err := copyTree(dir); err != nil {
		return "", err
	}
	if out, err := shell(context.Background(), dir, "make build"); err != nil {
		return "", fmt.Errorf("make build: %w\n%s", err, out)
	}
	return filepath.Join(dir, "bin"), nil
})

// linkBinaries makes a directory bin with links to the programs. A session can write to
// that directory.
func linkBinaries(t *testing.T, dir string) {
	t.Helper()
	bin, err := built()
	if err != nil {
		t.Fatal(err)
	}
	programs, err := os.ReadDir(bin)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(filepath.Join(dir, "bin"), 0o755); err != nil {
		t.Fatal(err)
	}
	for _, program := range programs {
		if err := os.Symlink(filepath.Join(bin, program.Name()), filepath.Join(dir, "bin", program.Name())); err != nil {
			t.Fatal(err)
		}
	}
}
