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

// Issuer is a cluster that signs tokens of service accounts (RS256). An account in IAM
// can have an OIDC provider for it.
type Issuer struct {
	// URL is the claim iss of the tokens.
	URL string

	key *rsa.PrivateKey
}

// Audience is the audience of tokens for STS.
const Audience = "sts.amazonaws.com"

// NewIssuer returns a cluster's issuer. A world trusts it after TrustIssuer.
func NewIssuer(url string) (*Issuer, error) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	return &Issuer{url, key}, err
}

// IssuerFromKey returns the issuer of a cluster with an existing key. A world that
// trusts the issuer accepts tokens that an API server signs with this key.
func IssuerFromKey(url string, key *rsa.PrivateKey) *Issuer { return &Issuer{url, key} }

// Token signs a token like that of a kubelet, which is bound to a service account.
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

// subject holds the claims of a verified token.
type subject struct {
	Issuer   string `json:"iss"`
	Subject  string `json:"sub"`
	Audience any    `json:"aud"`
	Expires  int64  `json:"exp"`
}

// PublishIssuer publishes an issuer's key to AWS. An account trusts the issuer only if
// it also has an OIDC provider for it; see SetProvider.
func (w *World) PublishIssuer(i *Issuer) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.issuers[i.URL] = &i.key.PublicKey
}

// allAccounts is the map key for OIDC providers in all accounts.
const allAccounts = ""

// TrustIssuer adds an OIDC provider for an issuer to all accounts, for the audience
// of STS.
func (w *World) TrustIssuer(i *Issuer) {
	w.PublishIssuer(i)
	w.SetProvider(allAccounts, i.URL, Audience)
}

// SetProvider sets an account's OIDC provider for an issuer and the given
// audiences.
func (w *World) SetProvider(account, issuer string, audiences ...string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.providers[account] == nil {
		w.providers[account] = map[string]values{}
	}
	w.providers[account][issuer] = audiences
}

// provider returns the audiences of an account's OIDC provider.
func (w *World) provider(account, issuer string) (audiences values, ok bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if audiences, ok = w.providers[account][issuer]; !ok {
		audiences, ok = w.providers[allAccounts][issuer]
	}
	return audiences, ok
}

func (w *World) issuerKey(url string) *rsa.PublicKey {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.issuers[url]
}

// verify returns the token's subject. If the token is not valid for roles of the
// account, it returns AWS's error.
func (w *World) verify(token, account string) (subject, *apiError) {
	s, audiences, err := w.parseJWT(token, account)
	switch {
	case err != nil:
		return s, &apiError{400, "InvalidIdentityToken", err.Error()}
	case s.Expires <= w.Now().Unix():
		return s, &apiError{400, "ExpiredTokenException", fmt.Sprintf("Token expired: current date/time %d must be before the expiration date/time %d", w.Now().Unix(), s.Expires)}
	case !slices.ContainsFunc(audiences, s.isFor):
		return s, &apiError{400, "InvalidIdentityToken", "Incorrect token audience"}
	}
	return s, nil
}

// These are the messages of STS.
var (
	errNoJWT        = errors.New("the ID Token provided is not a valid JWT")
	errBadSignature = errors.New("couldn't retrieve verification key from your identity provider, please reference AssumeRoleWithWebIdentity documentation for requirements")
)

func (w *World) parseJWT(token, account string) (s subject, audiences values, err error) {
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return s, nil, errNoJWT
	}
	payload, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil || json.Unmarshal(payload, &s) != nil {
		return s, nil, errNoJWT
	}
	key := w.issuerKey(s.Issuer)
	audiences, ok := w.provider(account, s.Issuer)
	if key == nil || !ok {
		return s, nil, errors.New("no OpenIDConnect provider found in your account for " + s.Issuer)
	}
	signature, err := base64.RawURLEncoding.DecodeString(parts[2])
	sum := sha256.Sum256([]byte(parts[0] + "." + parts[1]))
	if err != nil || rsa.VerifyPKCS1v15(key, crypto.SHA256, sum[:], signature) != nil {
		return s, nil, errBadSignature
	}
	return s, audiences, nil
}

// assuming adds the condition keys of the token's subject to an action.
func (s subject) assuming(a action) action {
	name := strings.TrimPrefix(s.Issuer, "https://")
	a.federated = "arn:" + partitionOf(a.resource) + ":iam::" + accountOf(a.resource) + ":oidc-provider/" + name
	a.keys[strings.ToLower(name)+":sub"], a.keys[anySubject] = []string{s.Subject}, []string{s.Subject}
	switch aud := s.Audience.(type) {
	case string:
		a.keys[strings.ToLower(name)+":aud"] = []string{aud}
	case []any:
		for _, one := range aud {
			a.keys[strings.ToLower(name)+":aud"] = append(a.keys[strings.ToLower(name)+":aud"], fmt.Sprint(one))
		}
	}
	return a
}

// partitionOf returns the partition in an ARN.
func partitionOf(arn string) string { return strings.SplitN(arn+"::", ":", 3)[1] }

func (s subject) isFor(audience string) bool {
	switch aud := s.Audience.(type) {
	case string:
		return aud == audience
	case []any:
		return slices.Contains(aud, any(audience))
	}
	return false
}
