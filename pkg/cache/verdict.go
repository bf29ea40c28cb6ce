package cache

import (
	"fmt"
	"strings"
	"time"
)

// Verdict is what an error of a Mint means for those who come after.
type Verdict int

// The verdicts.
const (
	// Transient: AWS was not there, or had no answer that can be used. Those
	// who wait just now share the error; a token that still lives stands in.
	Transient Verdict = iota
	// Remember: AWS says no, or can never answer. It is not asked again for a
	// minute, or up to five when it says so again and again.
	Remember
	// Forget: the error is the caller's own and must not meet others.
	Forget
)

// verdicts are those that are written down, as records spell them, with their
// words in messages.
var verdicts = map[Verdict]struct{ spelling, word string }{
	Transient: {"transient", "failed"},
	Remember:  {"refused", "refused"},
}

// MarshalText spells a verdict as in a record.
func (v Verdict) MarshalText() ([]byte, error) {
	known, ok := verdicts[v]
	if !ok {
		return nil, fmt.Errorf("no record has verdict %d", int(v))
	}
	return []byte(known.spelling), nil
}

// UnmarshalText is the reverse of MarshalText.
func (v *Verdict) UnmarshalText(text []byte) error {
	for verdict, known := range verdicts {
		if known.spelling == string(text) {
			*v = verdict
			return nil
		}
	}
	return fmt.Errorf("no verdict")
}

// RememberedError is an error that AWS was not asked for anew: another process,
// or an earlier one, got it.
type RememberedError struct {
	// Reason is the text of the error when it came.
	Reason string
	// Verdict is what it means.
	Verdict Verdict
	// Age is how long ago that was.
	Age time.Duration
	// Again is how long AWS will not be asked.
	Again time.Duration
}

// Error is the reason, with its age and when AWS is asked again.
func (e *RememberedError) Error() string {
	return fmt.Sprintf("%s; %s %s ago, asked again in %s", e.Reason, verdicts[e.Verdict].word, seconds(e.Age), seconds(e.Again))
}

// seconds is a duration as messages have it.
func seconds(d time.Duration) time.Duration { return max(0, d).Round(time.Second) }

// maxReason bounds what is kept of an error.
const maxReason = 4 << 10

// reason is the text of an error, fit to be kept.
func reason(err error) string {
	s := strings.ToValidUTF8(err.Error(), "?")
	if len(s) > maxReason {
		s = strings.ToValidUTF8(s[:maxReason], "") + "…"
	}
	return s
}
