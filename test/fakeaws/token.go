package fakeaws

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"strings"
	"time"
)

// Grant is the content of an authorization token: who requested it, and for which
// registries.
type Grant struct {
	// Principal is the ARN of the session that requested it.
	Principal string
	// Role is the ARN of its role.
	Role string
	// Region is the region in which the token is valid. "public" means ECR Public.
	Region  string
	Expires time.Time
	// Policy is the session policy of the session. Empty means none.
	Policy string
}

// Account returns the account of the session that requested the token.
func (g Grant) Account() string { return accountOf(g.Principal) }

// mint returns a token's password.
func (w *World) mint(g Grant) string {
	payload, _ := json.Marshal(g) // strings and a time cannot fail
	encoded := base64.RawURLEncoding.EncodeToString(payload)
	return tokenMark + encoded + "." + w.authenticate(encoded)
}

// ReadToken returns the grant of a token's password. It returns an error for a token
// that another world minted or that has expired.
func (w *World) ReadToken(password string) (Grant, error) {
	encoded, code, ok := strings.Cut(strings.TrimPrefix(password, tokenMark), ".")
	if !ok || !hmac.Equal([]byte(code), []byte(w.authenticate(encoded))) {
		return Grant{}, errors.New("not a token of this world")
	}
	payload, err := base64.RawURLEncoding.DecodeString(encoded)
	if err != nil {
		return Grant{}, err
	}
	var g Grant
	if err := json.Unmarshal(payload, &g); err != nil {
		return Grant{}, err
	}
	if !g.Expires.After(w.Now()) {
		return g, errors.New("the token has expired")
	}
	return g, nil
}

func (w *World) authenticate(text string) string {
	mac := hmac.New(sha256.New, w.key)
	mac.Write([]byte(text))
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}
