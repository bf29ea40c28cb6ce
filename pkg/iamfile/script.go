package iamfile

import (
	_ "embed"
	"fmt"
	"io"
	"strings"

	"ecr-cross-account-credential-provider/pkg/iampolicy"
)

// functions is the start of every script.
//
//go:embed script.sh
var functions string

// WriteScript writes a script for a POSIX shell and the AWS CLI.
func WriteScript(w io.Writer, items []iampolicy.Item) error {
	f, err := newFile(items)
	if err == nil {
		err = f.only("cli")
	}
	if err != nil {
		return err
	}
	s := &script{}
	s.text.WriteString(strings.ReplaceAll(functions, "ACCOUNT", f.account))
	for _, p := range f.providers {
		for _, audience := range p.Provider.ClientIDList {
			s.line("\nprovider %s %s %s", word(p.AttachTo), word(p.Provider.URL), word(audience))
		}
	}
	for _, r := range append(f.roles, f.nodes...) {
		if r.trust != nil {
			s.document("trust", r.trust)
			s.line("role %s %s %d", word(r.name), word(r.path), r.seconds)
		}
		if r.permissions != nil {
			s.document("policy", r.permissions)
			s.line("policy %s %s", word(r.name), word(r.policyName))
		}
	}
	if s.err != nil {
		return s.err
	}
	_, err = io.WriteString(w, s.text.String())
	return err
}

// script is the text of a script.
type script struct {
	text strings.Builder
	err  error
}

func (s *script) line(format string, args ...any) { fmt.Fprintf(&s.text, format+"\n", args...) }

// document writes a document to a file in the script's directory.
func (s *script) document(file string, document any) {
	text, err := pretty(document)
	if err != nil {
		s.err = err
	}
	s.line("\ncat >\"$work/%s\" <<'EOF'\n%s\nEOF", file, text)
}

// word returns a text as one word of a shell, in quotes if it needs them.
func word(s string) string {
	if s != "" && strings.Trim(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_+=,.@/:-") == "" {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}
