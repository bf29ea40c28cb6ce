package config

import (
	"fmt"
	"strings"
)

// Problem is one thing that is wrong with a configuration.
type Problem struct {
	File string // empty: the command line
	Line int    // 0: the file as a whole
	Path string // such as registries[1].assumeRoles[0].arn; may be empty
	Text string
}

// String is the problem in one line, file:line: path: text.
func (p Problem) String() string {
	var s strings.Builder
	if p.File != "" {
		s.WriteString(p.File)
		if p.Line > 0 {
			fmt.Fprintf(&s, ":%d", p.Line)
		}
		s.WriteString(": ")
	}
	if p.Path != "" {
		s.WriteString(p.Path + ": ")
	}
	s.WriteString(p.Text)
	return s.String()
}

// Problems are all that is wrong with a configuration, in its order.
type Problems []Problem

// Error is the problems in one line.
func (p Problems) Error() string {
	lines := make([]string, len(p))
	for i, problem := range p {
		lines[i] = problem.String()
	}
	return strings.Join(lines, "; ")
}
