package config

import (
	"fmt"
	"strconv"
	"strings"

	"ecr-cross-account-credential-provider/pkg/printable"
)

// Problem is one thing that is wrong with a configuration.
type Problem struct {
	File    string `json:"file"` // empty: the command line or the environment
	Line    int    `json:"line"` // 0: the whole file
	Path    string `json:"path"` // such as registries[1].assumeRoles[0].arn; may be empty
	Message string `json:"message"`
}

// String returns the problem in one line, file:line: path: message.
func (p Problem) String() string {
	s := p.Message
	if p.Path != "" {
		s = p.Path + ": " + s
	}
	switch {
	case p.File != "" && p.Line > 0:
		s = fmt.Sprintf("%s:%d: %s", p.File, p.Line, s)
	case p.File != "":
		s = p.File + ": " + s
	}
	return s
}

// Problems are all problems of a configuration, in the order of the file.
type Problems []Problem

// Error returns the problems in one line.
func (p Problems) Error() string {
	lines := make([]string, len(p))
	for i, problem := range p {
		lines[i] = problem.String()
	}
	return strings.Join(lines, "; ")
}

// report collects problems and knows the line of each path.
type report struct {
	file     string
	problems Problems
	warnings Problems
	lines    map[string]int
	bad      map[string]bool // the paths with a problem at or below them
	patterns map[string]bool // the regions and patterns of all entries
}

// record notes the line of a path. The first line counts, because two long keys can
// be shortened to the same path.
func (r *report) record(path string, line int) {
	if !r.has(path) {
		r.lines[path] = line
	}
}

// has reports whether the file has the path.
func (r *report) has(path string) bool {
	_, ok := r.lines[path]
	return ok
}

// given reports whether the file has a value at the path, and the value has no
// problem so far.
func (r *report) given(path string) bool { return r.has(path) && !r.bad[path] }

// line returns the line of a path, or of the closest path above it.
func (r *report) line(path string) int {
	for path != "" && !r.has(path) {
		path = parent(path)
	}
	return r.lines[path]
}

func (r *report) problem(path, format string, args ...any) {
	r.problemAt(r.line(path), path, format, args...)
}

func (r *report) problemAt(line int, path, format string, args ...any) {
	r.problems = append(r.problems, Problem{r.file, line, path, fmt.Sprintf(format, args...)})
	for ; path != "" && !r.bad[path]; path = parent(path) {
		r.bad[path] = true
	}
}

// check adds a problem if err is not nil, and reports whether err is nil.
func (r *report) check(path string, err error) bool {
	if err != nil {
		r.problem(path, "%v", err)
	}
	return err == nil
}

// refuse adds a problem at the path if the condition holds.
func (r *report) refuse(condition bool, path, message string) {
	if condition {
		r.problem(path, "%s", message)
	}
}

func parent(path string) string { return path[:max(0, strings.LastIndexAny(path, ".["))] }

func join(path, key string) string {
	if path == "" {
		return oneWord(key)
	}
	return path + "." + oneWord(key)
}

// oneWord returns a key as a path shows it. It adds quotes if the key is empty or has
// characters that need an escape.
func oneWord(s string) string {
	s = printable.Short(s)
	if quoted := strconv.Quote(s); s == "" || quoted != `"`+s+`"` {
		return quoted
	}
	return s
}

func oneOf(words []string) string {
	if len(words) < 2 {
		return strings.Join(words, "")
	}
	last := len(words) - 1
	return strings.Join(words[:last], ", ") + " or " + words[last]
}
