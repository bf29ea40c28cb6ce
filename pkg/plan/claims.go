package plan

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"strings"
	"unicode/utf8"

	"ecr-cross-account-credential-provider/pkg/rule"
	"ecr-cross-account-credential-provider/pkg/secret"
)

// Claims are the claims of a service account's token. This package reads them, but
// does not verify them: only STS decides whether the token is valid. Claims name
// sessions, and separate the cache entries of service accounts.
type Claims struct {
	Issuer   string   `json:"iss,omitempty"`
	Subject  string   `json:"sub,omitempty"`
	Audience []string `json:"aud,omitempty"`
	// Namespace, ServiceAccount and UID are from the claim kubernetes.io of a bound
	// token. Namespace and ServiceAccount can also be from the subject.
	Namespace      string `json:"namespace,omitempty"`
	ServiceAccount string `json:"serviceAccount,omitempty"`
	UID            string `json:"uid,omitempty"`
}

var errNotJWT = errors.New("the request's service account token is not a JWT")

// ReadClaims reads a token's claims. It returns an error only if the token is not a
// JWT. Claims that are missing or have another type are empty.
func ReadClaims(token secret.Text) (Claims, error) {
	parts := strings.Split(token.Reveal(), ".")
	if len(parts) != 3 {
		return Claims{}, errNotJWT
	}
	payload, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil || !utf8.Valid(payload) { // encoding/json would replace invalid bytes, so two different subjects could become equal
		return Claims{}, errNotJWT
	}
	var claims map[string]any
	if err := json.Unmarshal(payload, &claims); err != nil || claims == nil {
		return Claims{}, errNotJWT
	}
	bound, _ := claims["kubernetes.io"].(map[string]any)
	account, _ := bound["serviceaccount"].(map[string]any)
	c := Claims{
		Issuer:         text(claims["iss"]),
		Subject:        text(claims["sub"]),
		Audience:       texts(claims["aud"]),
		Namespace:      text(bound["namespace"]),
		ServiceAccount: text(account["name"]),
		UID:            text(account["uid"]),
	}
	if rest, ok := strings.CutPrefix(c.Subject, "system:serviceaccount:"); ok && c.Namespace == "" && c.ServiceAccount == "" {
		c.Namespace, c.ServiceAccount, _ = strings.Cut(rest, ":")
	}
	return c, nil
}

func text(claim any) string {
	s, _ := claim.(string)
	return s
}

// texts reads a claim that is a string or a list of strings.
func texts(claim any) []string {
	if s := text(claim); s != "" {
		return []string{s}
	}
	var all []string
	list, _ := claim.([]any)
	for _, item := range list {
		all = append(all, text(item))
	}
	return all
}

// SessionName returns the RoleSessionName for sessions of the service account.
func (c Claims) SessionName() string {
	if c.Namespace == "" || c.ServiceAccount == "" {
		return "service-account"
	}
	return rule.LegalSessionName(c.Namespace + "." + c.ServiceAccount)
}

// Name returns NAMESPACE/NAME for messages, or "" if the token does not contain
// them.
func (c Claims) Name() string {
	if c.Namespace == "" {
		return ""
	}
	return objectName(c.Namespace) + "/" + objectName(c.ServiceAccount)
}

// maxObjectName is the length limit of a Kubernetes object's name.
const maxObjectName = 253

// objectName replaces characters that no object's name contains, and limits the
// length.
func objectName(claim string) string {
	return rule.Legal(claim[:min(len(claim), maxObjectName)])
}
