package rule

import (
	"slices"
	"strings"
	"time"
)

// The alphabets and limits of STS (API reference, AssumeRole; IAM User Guide,
// "Rules for adding session tags").

// LegalSessionName makes a name of 2 to 64 characters of [\w+=,.@-] of any
// text, as RoleSessionName wants it (STS API, AssumeRole).
func LegalSessionName(s string) string {
	legal := []byte(s)
	for i, c := range legal {
		if !isWord(c) && !strings.ContainsRune("+=,.@-", rune(c)) {
			legal[i] = '-'
		}
	}
	legal = slices.Concat(legal, []byte("--"))[:max(2, len(legal))]
	return string(legal[:min(64, len(legal))])
}

// onlyOf tells whether s has nothing but letters, digits, _ and the extra ones.
func onlyOf(s, extra string) bool {
	for i := range len(s) {
		if !isWord(s[i]) && !strings.ContainsRune(extra, rune(s[i])) {
			return false
		}
	}
	return true
}

func isWord(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '_'
}

// ShortDuration is a duration without the zeros that time.Duration prints: 1h, not 1h0m0s.
func ShortDuration(d time.Duration) string {
	s := d.String()
	for _, zeros := range []string{"m0s", "h0m"} {
		if strings.HasSuffix(s, zeros) {
			s = s[:len(s)-len(zeros)+1]
		}
	}
	return s
}
