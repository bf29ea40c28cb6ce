package rule

import (
	"strings"
	"time"
)

// nameText holds the characters of names (STS API, AssumeRole; IAM API, CreateRole).
const nameText = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_+=,.@-"

// LegalSessionName turns any text into a RoleSessionName: 2 to 64 characters of
// [\w+=,.@-].
func LegalSessionName(s string) string {
	name := Legal(s)
	name += "--"[:max(0, 2-len(name))]
	return name[:min(64, len(name))]
}

// Legal replaces each byte that is not legal in a session name by a dash.
func Legal(s string) string {
	name := []byte(s)
	for i, c := range name {
		if strings.IndexByte(nameText, c) < 0 {
			name[i] = '-'
		}
	}
	return string(name)
}

// onlyOf reports whether s contains only the given letters.
func onlyOf(s, letters string) bool { return strings.Trim(s, letters) == "" }

// ShortDuration formats a duration without trailing zero units: 1h, not 1h0m0s.
func ShortDuration(d time.Duration) string {
	s := d.String()
	for _, zeros := range []string{"m0s", "h0m"} {
		if strings.HasSuffix(s, zeros) {
			s = s[:len(s)-len(zeros)+1]
		}
	}
	return s
}
