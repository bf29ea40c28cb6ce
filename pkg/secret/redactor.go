package secret

import (
	"net/url"
	"slices"
	"strings"
	"sync"
)

const (
	// minSecret is the length of the shortest secret to look for. A shorter secret
	// may be part of an ordinary word.
	minSecret = 8
	// minPart is the length of the shortest part of a secret to look for. AWS's
	// secrets are random text in base64, so a part of 12 characters has 72 bits. No
	// other text contains it by chance. Shorter parts remain, but do not help to
	// guess the rest.
	minPart = 12
)

// Redactor removes a set of secrets from text. The zero value has none. Several
// goroutines may use it at once.
type Redactor struct {
	mu      sync.Mutex
	secrets []string
}

// Add adds a secret, and its form in URLs. It ignores secrets of less than 8 bytes.
func (r *Redactor) Add(t Text) {
	if len(t.Reveal()) < minSecret {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, s := range []string{t.Reveal(), url.QueryEscape(t.Reveal())} {
		if !slices.Contains(r.secrets, s) {
			r.secrets = append(r.secrets, s)
		}
	}
}

// Redact replaces every secret in s by "[redacted]". It also replaces parts of a
// secret if they have at least 12 bytes. For a given set of secrets, the time is
// proportional to the length of s.
func (r *Redactor) Redact(s string) string {
	r.mu.Lock()
	defer r.mu.Unlock()
	hidden := make([]bool, len(s))
	for _, secret := range r.secrets {
		n, parts := min(len(secret), minPart), map[string]bool{}
		for i := range len(secret) - n + 1 {
			parts[secret[i:i+n]] = true
		}
		for i := range len(s) - n + 1 {
			if parts[s[i:i+n]] {
				for j := range n {
					hidden[i+j] = true
				}
			}
		}
	}
	var text strings.Builder
	for i := range len(s) {
		switch {
		case !hidden[i]:
			text.WriteByte(s[i])
		case i == 0 || !hidden[i-1]:
			text.WriteString(redacted)
		}
	}
	return text.String()
}
