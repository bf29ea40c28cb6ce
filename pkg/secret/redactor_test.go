package secret

import (
	"strings"
	"sync"
	"testing"
)

func TestRedactor(t *testing.T) {
	t.Parallel()
	const token, key, short = "IQoJb3JpZ2luX2VjEDoaCWV1LXdlc3QtMSJH", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", "swordfish"
	for name, test := range map[string]struct{ in, want string }{
		"empty":               {"", ""},
		"none":                {"AccessDenied: User: x is not authorized", "AccessDenied: User: x is not authorized"},
		"whole":               {"token " + token + " is bad", "token [redacted] is bad"},
		"alone":               {token, "[redacted]"},
		"start":               {"token " + token[:20] + "…", "token [redacted]…"},
		"end":                 {token[24:] + " is bad", "[redacted] is bad"},
		"middle of 12":        {"a" + token[7:19] + "b", "a[redacted]b"},
		"only 11":             {"a" + token[7:18] + "b", "a" + token[7:18] + "b"},
		"two parts":           {token[:13] + " and " + token[20:33], "[redacted] and [redacted]"},
		"two in a row":        {token + key, "[redacted]"},
		"twice":               {key + " " + key, "[redacted] [redacted]"},
		"in a URL":            {"?key=wJalrXUtnFEMI%2FK7MDENG%2BbPxRfiCYEXAMPLEKEY&", "?key=[redacted]&"},
		"short":               {"password " + short + "!", "password [redacted]!"},
		"part of a short one": {"sword, fish", "sword, fish"},
		"too short to hide":   {"seven77 is no secret", "seven77 is no secret"},
		"letters around":      {"☺" + token + "☺", "☺[redacted]☺"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var r Redactor
			for _, s := range []string{token, key, short, "seven77", ""} {
				r.Add(New(s))
			}
			if got := r.Redact(test.in); got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

// TestRedactorLater: Add works after Redact, and several goroutines may call both.
func TestRedactorLater(t *testing.T) {
	t.Parallel()
	var r Redactor
	if got := r.Redact("swordfish"); got != "swordfish" {
		t.Errorf("got %q, want it unchanged", got)
	}
	var adding sync.WaitGroup
	for range 4 {
		adding.Go(func() { r.Add(New("swordfish")); r.Redact("x") })
	}
	adding.Wait()
	if got := r.Redact("swordfish"); got != "[redacted]" {
		t.Errorf("got %q, want [redacted]", got)
	}
}

// FuzzRedactor: no 12 consecutive bytes of a secret remain, and all other text
// remains.
func FuzzRedactor(f *testing.F) {
	f.Add("wJalrXUtnFEMI/K7MDENG", "the key wJalrXUtnFEMI/K7MDENG is bad")
	f.Add("aaaaaaaaaaaaa", "aaaaaaaaaaaaaaaaaaaaaaaaaaab")
	f.Fuzz(func(t *testing.T, s, text string) {
		var r Redactor
		r.Add(New(s))
		got := r.Redact(text)
		for i := 0; len(s) >= minSecret && i+minPart <= len(s); i++ {
			for _, kept := range strings.Split(got, redacted) {
				if strings.Contains(kept, s[i:i+minPart]) {
					t.Errorf("got %q, want no %q in it", got, s[i:i+minPart])
				}
			}
		}
		if len(s) < minSecret && got != text {
			t.Errorf("got %q, want %q", got, text)
		}
		rest := text
		for i, kept := range strings.Split(got, redacted) {
			at := strings.Index(rest, kept)
			if at < 0 || i == 0 && at > 0 {
				t.Fatalf("got %q, want all other text of %q in it", got, text)
			}
			rest = rest[at+len(kept):]
		}
	})
}
