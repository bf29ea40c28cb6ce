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
)

const secret = "ECRTOKENsecret"

func encode(s string) *string {
	encoded := base64.StdEncoding.EncodeToString([]byte(s))
	return &encoded
}

func TestParse(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)
	at := func(d time.Duration) *time.Time { end := now.Add(d); return &end }
	raw := func(s string) *string { return &s }
	good := encode("AWS:" + secret)
	unpadded := strings.TrimRight(*encode("AWS:" + secret + "x"), "=")
	tests := []struct {
		name    string
		encoded *string
		expires *time.Time
		want    string // "" is success
	}{
		{"good", good, at(12 * time.Hour), ""},
		{"almost over", good, at(time.Second), ""},
		{"a password with colons", encode("AWS:" + secret + ":x"), at(time.Hour), ""},
		{"no token", nil, at(time.Hour), "the answer has no token"},
		{"empty token", raw(""), at(time.Hour), "the answer has no token"},
		{"not base64", raw(secret + "!"), at(time.Hour), "the answer has a token that is not base64"},
		{"base64 of URLs", raw("_-_-"), at(time.Hour), "the answer has a token that is not base64"},
		{"no padding", raw(unpadded), at(time.Hour), "the answer has a token that is not base64"},
		{"no colon", encode("AWS" + secret), at(time.Hour), "the answer has a token that is not USER:PASSWORD"},
		{"no user", encode(":" + secret), at(time.Hour), "the answer has a token that is not USER:PASSWORD"},
		{"no password", encode("AWS:"), at(time.Hour), "the answer has a token that is not USER:PASSWORD"},
		{"no expiry", good, nil, "the answer has a token without an expiry"},
		{"over", good, at(0), "the answer has a token that expired at 2026-05-04T12:00:00Z, and it is 2026-05-04T12:00:00Z"},
		{"long over", good, at(-time.Hour), "the answer has a token that expired at 2026-05-04T11:00:00Z, and it is 2026-05-04T12:00:00Z"},
		{"no time", good, &time.Time{}, "the answer has a token that expired at 0001-01-01T00:00:00Z, and it is 2026-05-04T12:00:00Z"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			token, err := parse(test.encoded, test.expires, now)
			if test.want == "" {
				if err != nil || token.Username() != "AWS" || !strings.HasPrefix(token.Password(), secret) || !token.Expires().Equal(*test.expires) {
					t.Errorf("got %q, %q, %v", token.Username(), token.Password(), err)
				}
				return
			}
			var usable *awsapi.Error
			if err == nil || err.Error() != test.want || token.Password() != "" || token.Username() != "" || !token.Expires().IsZero() || !errors.As(err, &usable) || usable.Class != awsapi.Unavailable {
				t.Errorf("got %v, want %s", err, test.want)
			}
		})
	}
}

// TestRedaction: no way to print a token prints its secret.
func TestRedaction(t *testing.T) {
	t.Parallel()
	end := time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)
	token, err := parse(encode("AWS:"+secret), &end, end.Add(-time.Hour))
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
			if strings.Contains(got, secret) || strings.Contains(got, fmt.Sprintf("%x", secret)) || strings.Contains(got, fmt.Sprintf("%X", secret)) {
				t.Errorf("%s of %T prints the secret: %s", verb, value, got)
			}
		}
	}
	if got := fmt.Sprint(token); got != "Token(expires 2026-05-04T12:00:00Z)" {
		t.Error(got)
	}
	if got, err := json.Marshal(holder{token, token}); err != nil || strings.Contains(string(got), secret) {
		t.Errorf("%s, %v", got, err)
	}
}
