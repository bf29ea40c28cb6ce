// Package ecr gets authorization tokens of Amazon ECR and ECR Public.
package ecr

import (
	"encoding/base64"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"ecr-cross-account-credential-provider/pkg/awsapi"
	"ecr-cross-account-credential-provider/pkg/secret"
)

// MaxLife is the longest life of a token, whatever the clocks say (Amazon ECR API,
// GetAuthorizationToken).
const MaxLife = 12 * time.Hour

// Token is an authorization token for registries of one region.
type Token struct {
	// Login is the user name and the password: "AWS:PASSWORD".
	Login secret.Text
	// Life is how long the registry accepts the token from now on.
	Life time.Duration
}

// clock computes how long a token lives; see awsapi.API.
type clock interface {
	Now() time.Time
	Expired(time.Time) bool
	Remaining(time.Time) time.Duration
}

// parse reads a token as the APIs return it: USER:PASSWORD in base64. Its errors do
// not quote the token.
func parse(encoded *string, expires *time.Time, clock clock) (Token, error) {
	if encoded == nil || *encoded == "" {
		return Token{}, unusable("no token")
	}
	decoded, err := base64.StdEncoding.DecodeString(*encoded)
	if err != nil {
		return Token{}, unusable("a token that is not base64")
	}
	username, password, ok := strings.Cut(string(decoded), ":")
	switch now := clock.Now(); {
	case !utf8.Valid(decoded):
		return Token{}, unusable("a token that is not UTF-8")
	case !ok || username == "" || password == "":
		return Token{}, unusable("a token that is not USER:PASSWORD")
	case expires == nil:
		return Token{}, unusable("a token without an expiry")
	case clock.Expired(*expires):
		return Token{}, unusable(fmt.Sprintf("a token that expired at %s (the node's clock says %s)",
			expires.UTC().Format(time.RFC3339), now.UTC().Format(time.RFC3339)))
	default:
		return Token{secret.New(string(decoded)), min(MaxLife, clock.Remaining(*expires))}, nil
	}
}

func unusable(what string) error { return awsapi.Unusable("the answer has " + what) }
