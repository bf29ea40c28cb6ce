package printable

import (
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestShort(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct{ in, want string }{
		"empty":               {"", ""},
		"short":               {"team-a/app", "team-a/app"},
		"just fits":           {strings.Repeat("a", 64), strings.Repeat("a", 64)},
		"too long":            {strings.Repeat("a", 65), strings.Repeat("a", 64) + "…"},
		"cut within a letter": {strings.Repeat("a", 63) + "ä", strings.Repeat("a", 63) + "…"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := Short(test.in); got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

func TestLine(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct{ in, want string }{
		"a line":              {"a line", "a line"},
		"lines":               {" two\r\n\tlines ", "two lines"},
		"controls":            {"a\x00b\x1b[31mc\u0085d\u202ee", "a b [31mc d e"},
		"not UTF-8":           {"a\xffb", "a\ufffdb"},
		"too long":            {strings.Repeat("x", 101), strings.Repeat("x", 100) + "…"},
		"cut within a letter": {strings.Repeat("x", 99) + "ä", strings.Repeat("x", 99) + "…"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := Line(test.in, 100); got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

func FuzzPrintable(f *testing.F) {
	f.Add("a\nb\x00\xff☺")
	f.Fuzz(func(t *testing.T, s string) {
		if got := Short(s); len(strconv.Quote(got)) > 64+2+len("…") {
			t.Errorf("got Short(%q) = %q, want at most 64 bytes with escapes", s, got)
		}
		line := Line(s, 100)
		if len(line) > 100+len("…") || !utf8.ValidString(line) || strings.ContainsAny(line, "\n\r\t\x00") {
			t.Errorf("got Line(%q) = %q, want one short line in UTF-8", s, line)
		}
	})
}
