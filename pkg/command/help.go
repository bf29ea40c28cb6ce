package command

import (
	"context"
	"fmt"
	"io"
	"strings"
)

// help is the command help.
func (pr Program) help(_ context.Context, p Process, args []string) error {
	text := pr.usage()
	switch len(args) {
	case 0:
	case 1:
		c, err := pr.command(args[0])
		if err != nil {
			return err
		}
		text = pr.commandUsage(c)
	default:
		return UsageError("help takes one command, not %d", len(args))
	}
	_, err := io.WriteString(p.Stdout, text)
	return err
}

// usage returns the help of the program.
func (pr Program) usage() string {
	var s strings.Builder
	fmt.Fprintf(&s, "%s\n\nusage: %s\n\n", pr.Summary, words(pr.Name, pr.Synopsis, "[COMMAND] [ARGUMENTS]"))
	width := 0
	for _, c := range pr.AllCommands() {
		width = max(width, len(words(c.Name, c.Args)))
	}
	for _, c := range pr.AllCommands() {
		fmt.Fprintf(&s, "  %-*s  %s\n", width, words(c.Name, c.Args), c.Summary)
	}
	fmt.Fprintf(&s, "\n%s", pr.Notes)
	return s.String()
}

// commandUsage returns the help of a command: its flags and an example.
func (pr Program) commandUsage(c Command) string {
	var s strings.Builder
	flags, synopsis, width := c.AllFlags(), "", 0
	for _, f := range flags {
		synopsis, width = "[FLAGS]", max(width, len(f.String()))
	}
	fmt.Fprintf(&s, "usage: %s\n\n%s: %s.\n", words(pr.Name, c.Name, synopsis, c.Args), c.Name, c.Summary)
	if len(flags) > 0 {
		s.WriteString("\nflags:\n")
	}
	for _, f := range flags {
		fmt.Fprintf(&s, "  %-*s  %s\n", width, f, f.Usage)
	}
	if c.Example != "" {
		fmt.Fprintf(&s, "\nexample:\n  %s\n", words(pr.Name, c.Example))
	}
	return s.String()
}

// words joins words that are not empty.
func words(all ...string) string {
	var s []string
	for _, word := range all {
		if word != "" {
			s = append(s, word)
		}
	}
	return strings.Join(s, " ")
}
