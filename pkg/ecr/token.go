// Package ecr gets authorization tokens of Amazon ECR and ECR Public.
package ecr

import (
	"encoding/base64"
	"fmt"
	"strings"
	"time"

	"ecr-cross-account-credential-provider/pkg/awsapi"
)

// Token is a user name and password for a registry, valid for 12h or so.
type Token struct {
	login   func() login // fmt prints no function's result, whatever the verb
	expires time.Time
}

type login struct{ username, password string }

// Username is the token's user, "AWS".
func (t Token) Username() string { return t.get().username }

// Password is the token's secret.
func (t Token) Password() string { return t.get().password }

func (t Token) get() login {
	if t.login == nil {
		return login{}
	}
	return t.login()
}

// Expires is when the registry takes the token no more.
func (t Token) Expires() time.Time { return t.expires }

// String is the token without its secret.
func (t Token) String() string { return "Token(expires " + t.expires.UTC().Format(time.RFC3339) + ")" }

// Format is String for every verb, so that none prints the secret.
func (t Token) Format(f fmt.State, _ rune) { _, _ = fmt.Fprint(f, t.String()) }

// parse takes a token as the APIs write it, base64 of USER:PASSWORD. Errors
// quote nothing of it.
func parse(encoded *string, expires *time.Time, now time.Time) (Token, error) {
	if encoded == nil || *encoded == "" {
		return Token{}, unusable("no token")
	}
	decoded, err := base64.StdEncoding.DecodeString(*encoded)
	if err != nil {
		return Token{}, unusable("a token that is not base64")
	}
	username, password, ok := strings.Cut(string(decoded), ":")
	if !ok || username == "" || password == "" {
		return Token{}, unusable("a token that is not USER:PASSWORD")
	}
	switch {
	case expires == nil:
		return Token{}, unusable("a token without an expiry")
	case !expires.After(now):
		return Token{}, unusable(fmt.Sprintf("a token that expired at %s, and it is %s",
			expires.UTC().Format(time.RFC3339), now.UTC().Format(time.RFC3339)))
	}
	return Token{func() login { return login{username, password} }, *expires}, nil
}

func unusable(what string) error { return awsapi.Unusable("the answer has " + what) }
