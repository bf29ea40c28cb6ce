// Package manual derives completions for shells and a manual page from a program's
// definition.
package manual

import (
	"fmt"
	"strings"

	"ecr-cross-account-credential-provider/pkg/command"
)

// Page returns the program's manual page, in the language of man(7).
func Page(program command.Program, version string) string {
	var s strings.Builder
	fmt.Fprintf(&s, ".TH %s 1 \"\" \"%s\"\n", roff(strings.ToUpper(program.Name)), roff(version))
	fmt.Fprintf(&s, ".SH NAME\n%s \\- %s\n", roff(program.Name), roff(program.Summary))
	fmt.Fprintf(&s, ".SH SYNOPSIS\n.B %s\n%s [COMMAND] [ARGUMENTS]\n", roff(program.Name), roff(program.Synopsis))
	s.WriteString(".SH COMMANDS\n")
	for _, c := range program.AllCommands() {
		fmt.Fprintf(&s, ".SS %s\n%s.\n", roff(strings.TrimSpace(c.Name+" "+c.Args)), roff(sentence(c.Summary)))
		for _, f := range c.AllFlags() {
			fmt.Fprintf(&s, ".TP\n.B %s\n%s\n", roff(f.String()), roff(f.Usage))
		}
		if c.Example != "" {
			fmt.Fprintf(&s, ".PP\nExample:\n.PP\n.EX\n%s %s\n.EE\n", roff(program.Name), roff(c.Example))
		}
	}
	s.WriteString(".SH NOTES\n")
	for line := range strings.Lines(program.Notes) {
		s.WriteString(roff(strings.TrimSuffix(line, "\n")) + "\n")
	}
	return s.String()
}

// sentence returns s with a capital first letter.
func sentence(s string) string { return strings.ToUpper(s[:1]) + s[1:] }

// roff escapes characters with a special meaning in roff. These are backslashes,
// hyphens, quotation marks, and a dot or an apostrophe at the start of a line.
func roff(s string) string {
	s = strings.NewReplacer(`\`, `\e`, "-", `\-`, `"`, `\(dq`).Replace(s)
	if strings.HasPrefix(s, ".") || strings.HasPrefix(s, "'") {
		s = `\&` + s
	}
	return s
}
