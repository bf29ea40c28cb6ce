package ecr

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"ecr-cross-account-credential-provider/pkg/awsapi"
	"ecr-cross-account-credential-provider/pkg/failure"
)

const marker = "ECRTOKENsecret"

func encode(s string) *string {
	encoded := base64.StdEncoding.EncodeToString([]byte(s))
	return &encoded
}

func TestParse(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)
	at := func(d time.Duration) *time.Time { end := now.Add(d); return &end }
	raw := func(s string) *string { return &s }
	good := encode("AWS:" + marker)
	unpadded := strings.TrimRight(*encode("AWS:" + marker + "x"), "=")
	tests := []struct {
		name    string
		encoded *string
		expires *time.Time
		want    string // "" is success
	}{
		{"good", good, at(12 * time.Hour), ""},
		{"almost over", good, at(time.Second), ""},
		{"a password with colons", encode("AWS:" + marker + ":x"), at(time.Hour), ""},
		{"no token", nil, at(time.Hour), "the answer has no token"},
		{"empty token", raw(""), at(time.Hour), "the answer has no token"},
		{"not base64", raw(marker + "!"), at(time.Hour), "the answer has a token that is not base64"},
		{"base64 in the alphabet for URLs", raw("_-_-"), at(time.Hour), "the answer has a token that is not base64"},
		{"no padding", raw(unpadded), at(time.Hour), "the answer has a token that is not base64"},
		{"not UTF-8", encode("AWS:\xff" + marker), at(time.Hour), "the answer has a token that is not UTF-8"},
		{"no colon", encode("AWS" + marker), at(time.Hour), "the answer has a token that is not USER:PASSWORD"},
		{"no user", encode(":" + marker), at(time.Hour), "the answer has a token that is not USER:PASSWORD"},
		{"no password", encode("AWS:"), at(time.Hour), "the answer has a token that is not USER:PASSWORD"},
		{"no expiry", good, nil, "the answer has a token without an expiry"},
		{"over", good, at(0), "the answer has a token that expired at 2026-05-04T12:00:00Z (the node's clock says 2026-05-04T12:00:00Z)"},
		{"long over", good, at(-time.Hour), "the answer has a token that expired at 2026-05-04T11:00:00Z (the node's clock says 2026-05-04T12:00:00Z)"},
		{"no time", good, &time.Time{}, "the answer has a token that expired at 0001-01-01T00:00:00Z (the node's clock says 2026-05-04T12:00:00Z)"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			token, err := parse(test.encoded, test.expires, fixed{now, 0})
			if test.want == "" {
				if err != nil || !strings.HasPrefix(token.Login.Reveal(), "AWS:"+marker) || token.Life != test.expires.Sub(now) {
					t.Errorf("got %q for %s, %v; want the token until %s", token.Login.Reveal(), token.Life, err, test.expires)
				}
				return
			}
			var usable *awsapi.Error
			if err == nil || err.Error() != test.want || token != (Token{}) || !errors.As(err, &usable) || usable.FailureClass() != failure.Unavailable {
				t.Errorf("got %v, want %s", err, test.want)
			}
		})
	}
}

// fixed holds two clocks that do not advance: the node's, and AWS's. ahead is how far
// AWS's is ahead of the node's. It may be negative.
type fixed struct {
	now   time.Time
	ahead time.Duration
}

func (f fixed) Now() time.Time { return f.now }

func (f fixed) Expired(t time.Time) bool { return !t.After(f.now) && !t.After(f.now.Add(f.ahead)) }

func (f fixed) Remaining(t time.Time) time.Duration {
	return max(0, t.Sub(f.now)-max(0, f.ahead))
}

// TestLife: a token has a life by each clock. The shorter life counts, up to 12h.
func TestLife(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)
	for name, test := range map[string]struct{ expires, ahead, want time.Duration }{
		"clocks agree":       {12 * time.Hour, 0, 12 * time.Hour},
		"far too long":       {131405 * time.Hour, 0, 12 * time.Hour},
		"AWS's clock ahead":  {12 * time.Hour, 5 * time.Hour, 7 * time.Hour},
		"AWS's clock behind": {12 * time.Hour, -5 * time.Hour, 12 * time.Hour},
		"over for AWS alone": {time.Hour, 5 * time.Hour, 0},
		"over for the node":  {-time.Hour, -5 * time.Hour, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			expires := now.Add(test.expires)
			token, err := parse(encode("AWS:"+marker), &expires, fixed{now, test.ahead})
			if got := token.Life; err != nil || got != test.want {
				t.Errorf("got a life of %s, %v; want %s", got, err, test.want)
			}
		})
	}
}

// TestRedaction: no way of printing a token prints its secret.
func TestRedaction(t *testing.T) {
	t.Parallel()
	end := time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)
	token, err := parse(encode("AWS:"+marker), &end, fixed{end.Add(-time.Hour), 0})
	if err != nil {
		t.Fatal(err)
	}
	type holder struct {
		Token  Token
		hidden Token
	}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%d", "%x", "%X", "%T", "%t", "%p", "%10s", "%c"} {
		for _, value := range []any{token, &token, []Token{token}, map[string]Token{"a": token}, holder{token, token}, &holder{token, token}} {
			got := fmt.Sprintf(verb, value)
			if strings.Contains(got, marker) || strings.Contains(got, fmt.Sprintf("%x", marker)) || strings.Contains(got, fmt.Sprintf("%X", marker)) {
				t.Errorf("%s of %T: got the secret in %s", verb, value, got)
			}
		}
	}
	if got, err := json.Marshal(holder{token, token}); err != nil || strings.Contains(string(got), marker) {
		t.Errorf("got %s, %v; want JSON without the secret", got, err)
	}
}
