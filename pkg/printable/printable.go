// Package printable turns text from outside into text for a message of one line.
// Examples are an image's name and an answer of AWS.
package printable

import (
	"strconv"
	"strings"
	"unicode"
)

// Short returns the start of a text for a quotation in a message. It has at most about
// 64 bytes, including escapes.
func Short(s string) string { return start(s, 64) }

// Long is Short for longer texts, such as ARNs: at most about 200 bytes.
func Long(s string) string { return start(s, 200) }

// start cuts s so that its quoted form with escapes fits into limit.
func start(s string, limit int) string {
	short := s
	if len(s) > limit {
		short = strings.ToValidUTF8(s[:limit], "")
	}
	for len(strconv.Quote(short)) > limit+2 {
		short = short[:len(short)*3/4]
	}
	if short == s {
		return s
	}
	return short + "…"
}

// Line returns s as one line. Each run of white space and unprintable characters
// becomes one space. Line cuts a text of more than limit bytes, and adds "…".
func Line(s string, limit int) string {
	s = strings.Join(strings.Fields(strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || !unicode.IsPrint(r) {
			return ' '
		}
		return r
	}, s)), " ")
	if len(s) > limit {
		s = strings.ToValidUTF8(s[:limit], "") + "…"
	}
	return s
}
