package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// These are the names of the programs.
const (
	pluginName = "ecr-cross-account-credential-provider"
	toolName   = "ecr-cross-account"
	// stockName is the name of the stock plugin, which kOps fetches.
	stockName = "ecr-credential-provider"
)

// source is a clone in which the programs are built.
type source struct {
	root    string
	version string    // with a v, such as v0.1.0
	date    time.Time // of the commit
}

func readSource(root string) (source, error) {
	root, err := filepath.Abs(root)
	if err != nil {
		return source{}, err
	}
	s := source{root: root}
	version, err := os.ReadFile(filepath.Join(root, "pkg/command/VERSION"))
	if err != nil {
		return s, err
	}
	s.version = strings.TrimSpace(string(version))
	seconds, err := s.output("git", "log", "-1", "--format=%ct")
	if err != nil {
		return s, err
	}
	n, err := strconv.ParseInt(strings.TrimSpace(seconds), 10, 64)
	s.date = time.Unix(n, 0).UTC()
	return s, err
}

// output runs a program in the clone and returns its stdout.
func (s source) output(name string, args ...string) (string, error) {
	cmd := exec.Command(name, args...)
	cmd.Dir, cmd.Stderr = s.root, os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("%s %s: %w", name, strings.Join(args, " "), err)
	}
	return string(out), nil
}

// documents returns the other files of a release: README.md, LICENSE, the examples, the
// manual pages and the completions.
func (s source) documents() ([]file, error) {
	names, err := s.output("git", "ls-files", "-z", "README.md", "LICENSE", "config-examples")
	if err != nil {
		return nil, err
	}
	var files []file
	for name := range strings.SplitSeq(strings.TrimSuffix(names, "\x00"), "\x00") {
		if strings.HasSuffix(name, ".go") {
			continue
		}
		f, err := s.file(name)
		if err != nil {
			return nil, err
		}
		files = append(files, f)
	}
	for _, d := range []struct {
		name string
		args []string
	}{
		{manDir + toolName + ".1", []string{"man"}},
		{manDir + pluginName + ".1", []string{"man", pluginName}},
		{bashCompletion, []string{"completion", "bash"}},
		{zshCompletion, []string{"completion", "zsh"}},
	} {
		text, err := s.output(filepath.Join(s.root, "bin", toolName), d.args...)
		if err != nil {
			return nil, err
		}
		files = append(files, file{name: d.name, content: []byte(text), mode: 0o644})
	}
	return files, nil
}

// file reads a file of the clone.
func (s source) file(name string) (file, error) {
	path := filepath.Join(s.root, name)
	content, err := os.ReadFile(path)
	if err != nil {
		return file{}, err
	}
	info, err := os.Stat(path)
	if err != nil {
		return file{}, err
	}
	f := file{name: name, content: content, mode: 0o644}
	if info.Mode()&0o100 != 0 {
		f.mode = 0o755
	}
	return f, nil
}
