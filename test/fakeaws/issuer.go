package fakeaws

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Issuer is a cluster that signs service accounts' tokens (RS256), and whose
// issuer IAM knows as an OIDC provider.
type Issuer struct {
	// URL is the tokens' iss.
	URL string

	key *rsa.PrivateKey
}

// Audience is what tokens for STS are for.
const Audience = "sts.amazonaws.com"

// NewIssuer makes a cluster's issuer. The world trusts it once it is told to
// (TrustIssuer).
func NewIssuer(url string) (*Issuer, error) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	return &Issuer{url, key}, err
}

// IssuerFromKey is the issuer of a cluster that has a key already: what an API
// server signs with it, a world that trusts the issuer accepts.
func IssuerFromKey(url string, key *rsa.PrivateKey) *Issuer { return &Issuer{url, key} }

// Token signs a token of a service account, bound to it as a kubelet's are.
func (i *Issuer) Token(namespace, name, audience string, expires time.Time) (string, error) {
	return i.Sign(map[string]any{
		"iss": i.URL, "sub": "system:serviceaccount:" + namespace + ":" + name, "aud": []string{audience},
		"exp": expires.Unix(), "iat": expires.Add(-time.Hour).Unix(),
		"kubernetes.io": map[string]any{
			"namespace":      namespace,
			"serviceaccount": map[string]string{"name": name, "uid": "uid-of-" + namespace + "-" + name},
		},
	})
}

// Sign signs any claims.
func (i *Issuer) Sign(claims any) (string, error) {
	payload, err := json.Marshal(claims)
	if err != nil {
		return "", err
	}
	signed := encodeSegment([]byte(`{"alg":"RS256","typ":"JWT"}`)) + "." + encodeSegment(payload)
	sum := sha256.Sum256([]byte(signed))
	signature, err := rsa.SignPKCS1v15(rand.Reader, i.key, crypto.SHA256, sum[:])
	return signed + "." + encodeSegment(signature), err
}

func encodeSegment(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

// subject is who a token is of, once it is verified.
type subject struct {
	Issuer   string `json:"iss"`
	Subject  string `json:"sub"`
	Audience any    `json:"aud"`
	Expires  int64  `json:"exp"`
}

// TrustIssuer makes an issuer an OIDC provider of all accounts.
func (w *World) TrustIssuer(i *Issuer) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.issuers[i.URL] = &i.key.PublicKey
}

func (w *World) issuerKey(url string) *rsa.PublicKey {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.issuers[url]
}

// verify tells whose token this is, or why AWS refuses it.
func (w *World) verify(token string) (subject, *apiError) {
	s, err := w.parseJWT(token)
	switch {
	case err != nil:
		return s, &apiError{400, "InvalidIdentityToken", err.Error()}
	case s.Expires <= w.Now().Unix():
		return s, &apiError{400, "ExpiredTokenException", fmt.Sprintf("Token expired: current date/time %d must be before the expiration date/time %d", w.Now().Unix(), s.Expires)}
	case !s.isFor(Audience):
		return s, &apiError{400, "InvalidIdentityToken", "Incorrect token audience"}
	}
	return s, nil
}

// STS's own words.
var (
	errNoJWT        = errors.New("the ID Token provided is not a valid JWT")
	errBadSignature = errors.New("couldn't retrieve verification key from your identity provider, please reference AssumeRoleWithWebIdentity documentation for requirements")
)

func (w *World) parseJWT(token string) (subject, error) {
	var s subject
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return s, errNoJWT
	}
	payload, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil || json.Unmarshal(payload, &s) != nil {
		return s, errNoJWT
	}
	key := w.issuerKey(s.Issuer)
	if key == nil {
		return s, errors.New("no OpenIDConnect provider found in your account for " + s.Issuer)
	}
	signature, err := base64.RawURLEncoding.DecodeString(parts[2])
	sum := sha256.Sum256([]byte(parts[0] + "." + parts[1]))
	if err != nil || rsa.VerifyPKCS1v15(key, crypto.SHA256, sum[:], signature) != nil {
		return s, errBadSignature
	}
	return s, nil
}

func (s subject) isFor(audience string) bool {
	switch aud := s.Audience.(type) {
	case string:
		return aud == audience
	case []any:
		return slices.Contains(aud, any(audience))
	}
	return false
}
