package identity

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials/stscreds"

	"ecr-cross-account-credential-provider/pkg/awsapi"
	"ecr-cross-account-credential-provider/pkg/record"
	"ecr-cross-account-credential-provider/pkg/rule"
)

// Claims are what a service account's token says of itself. They are read, not
// verified: they name sessions and keep one service account's token from serving
// another, and STS alone decides whom the token makes.
type Claims struct {
	Issuer, Subject string
	Audience        []string
	// Namespace, ServiceAccount and UID are those of a bound token's claim
	// kubernetes.io; the first two are also in its subject.
	Namespace, ServiceAccount, UID string
}

// ReadClaims takes a token. That it is none is the only error; claims that are
// missing or of odd types are empty.
func ReadClaims(token string) (Claims, error) {
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return Claims{}, errNoJWT
	}
	payload, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		return Claims{}, errNoJWT
	}
	var claims map[string]any
	if err := json.Unmarshal(payload, &claims); err != nil || claims == nil {
		return Claims{}, errNoJWT
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

var errNoJWT = errors.New("the request's service account token is not a JWT")

func text(claim any) string {
	s, _ := claim.(string)
	return s
}

// texts reads a claim that is a text or a list of them.
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

// SessionName names the sessions of a service account.
func (c Claims) SessionName() string {
	if c.Namespace == "" || c.ServiceAccount == "" {
		return "service-account"
	}
	return rule.LegalSessionName(c.Namespace + "." + c.ServiceAccount)
}

// Name is the service account's for people, NAMESPACE/NAME; empty if the token does
// not say.
func (c Claims) Name() string {
	if c.Namespace == "" {
		return ""
	}
	return printable(c.Namespace) + "/" + printable(c.ServiceAccount)
}

// jwt is a token as stscreds wants it.
type jwt string

func (t jwt) GetIdentityToken() ([]byte, error) { return []byte(t), nil }

// WebIdentity makes a service account's token the credentials of a role
// (AssumeRoleWithWebIdentity). It needs no credentials of its own.
func (c Chain) WebIdentity(ctx context.Context, roleARN, token string, claims Claims) (Session, error) {
	defer record.Step(ctx, "service_account")()
	session, err := c.webIdentity(ctx, roleARN, token, claims)
	if err != nil {
		return Session{}, c.explainWebIdentity(err, roleARN, claims)
	}
	return session, nil
}

func (c Chain) webIdentity(ctx context.Context, roleARN, token string, claims Claims) (Session, error) {
	client, err := c.API.STS(c.Region, c.Registry.FIPS(), aws.Credentials{})
	if err != nil {
		return Session{}, err
	}
	provider := stscreds.NewWebIdentityRoleProvider(client, roleARN, jwt(token), func(o *stscreds.WebIdentityRoleOptions) {
		o.RoleSessionName = claims.SessionName()
		o.Duration = rule.DefaultDuration
	})
	credentials, err := awsapi.Call(ctx, c.API, provider.Retrieve)
	if err != nil {
		return Session{}, err
	}
	return c.session(credentials, roleARN)
}

func (c Chain) explainWebIdentity(err error, roleARN string, claims Claims) error {
	who := "the pod's service account"
	if name := claims.Name(); name != "" {
		who = "service account " + name
	}
	var hint string
	class, ok := awsapi.ClassOf(err)
	switch {
	case !ok:
	case awsapi.NoAnswer(err):
		hint = "; the node must reach STS there: by the internet, or an interface endpoint for STS"
	case class == awsapi.Refused:
		hint = "; the role's trust policy must name the cluster's OIDC provider and let this subject and audience in"
	case class == awsapi.CallersToken:
		hint = "; the role's account needs an IAM OIDC provider for the cluster's issuer, with the audience of the provider's tokenAttributes"
	}
	explained := fmt.Errorf("assuming role %s for registry %s as %s: %w%s", roleARN, c.Registry, who, err, hint)
	if ok && class == awsapi.Refused {
		return RefusedError{explained}
	}
	return explained
}

// printable keeps a claim to what the names of namespaces and service accounts
// are made of, and short.
func printable(claim string) string {
	return rule.LegalSessionName(claim)
}
