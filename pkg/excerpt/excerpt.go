// Package excerpt makes text from outside, such as an image's name or an answer
// of AWS, fit to be part of a message of one line.
package excerpt

import (
	"strconv"
	"strings"
	"unicode"
)

// Of is the start of a text that a message quotes: about 64 bytes, escaped.
func Of(s string) string { return start(s, 64) }

// Long is the same for what is longer by nature, such as an ARN: about 200 bytes.
func Long(s string) string { return start(s, 200) }

// start cuts so that what is quoted, escapes included, is not longer than most.
func start(s string, most int) string {
	short := s
	if len(s) > most {
		short = strings.ToValidUTF8(s[:most], "")
	}
	for len(strconv.Quote(short)) > most+2 {
		short = short[:len(short)*3/4]
	}
	if short == s {
		return s
	}
	return short + "…"
}

// Line is a text as a line: what can't be printed and runs of white space are one
// space each, and what is longer than most is cut off.
func Line(s string, most int) string {
	s = strings.Join(strings.Fields(strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || !unicode.IsPrint(r) {
			return ' '
		}
		return r
	}, s)), " ")
	if len(s) > most {
		s = strings.ToValidUTF8(s[:most], "") + "…"
	}
	return s
}
