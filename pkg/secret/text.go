// Package secret keeps secrets from being printed, and removes them from messages.
package secret

import (
	"fmt"
	"io"
	"strings"
)

// redacted is printed in place of a secret.
const redacted = "[redacted]"

// Text is a secret, such as a token or a secret key. Only Reveal returns it:
// package fmt, log/slog and encoding/json print "[redacted]". The zero value is
// the empty text.
type Text struct {
	value *string // a pointer, because fmt prints unexported fields but does not follow pointers in them
}

// New makes a secret of s.
func New(s string) Text {
	if s == "" {
		return Text{}
	}
	return Text{&s}
}

// Reveal returns the secret itself. Call it only where the secret leaves the
// process, or to compare the secret.
func (t Text) Reveal() string {
	if t.value == nil {
		return ""
	}
	return *t.value
}

// Cut splits the text around the first separator, like strings.Cut. The text before
// the separator, such as a user name, is not secret.
func (t Text) Cut(separator string) (before string, after Text) {
	before, rest, _ := strings.Cut(t.Reveal(), separator)
	return before, New(rest)
}

// IsZero reports whether t is empty.
func (t Text) IsZero() bool { return t.value == nil }

// Equal reports whether t and u are the same text.
func (t Text) Equal(u Text) bool { return t.Reveal() == u.Reveal() }

// String returns "[redacted]".
func (t Text) String() string { return redacted }

// Format writes "[redacted]" for every verb.
func (t Text) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, redacted) }

// MarshalText returns "[redacted]", so that no encoder writes the secret.
func (t Text) MarshalText() ([]byte, error) { return []byte(redacted), nil }
