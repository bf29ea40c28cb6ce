package config

import "testing"

func TestOneWord(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, in, want string }{
		{"word", "accounts", "accounts"},
		{"two words", "my accounts", "my accounts"},
		{"other letters", "schlüssel", "schlüssel"},
		{"nothing", "", `""`},
		{"lines", "a\nb", `"a\nb"`},
		{"line separator", "a\u2028b", `"a\u2028b"`},
		{"terminal", "\x1b[2J", `"\x1b[2J"`},
		{"right to left", "a\u202eb", `"a\u202eb"`},
		{"quote", `a"b`, `"a\"b"`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			if got := oneWord(test.in); got != test.want {
				t.Errorf("got %s, want %s", got, test.want)
			}
		})
	}
}
