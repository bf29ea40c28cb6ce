package identity

import (
	"context"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials/stscreds"

	"ecr-cross-account-credential-provider/pkg/awsapi"
	"ecr-cross-account-credential-provider/pkg/failure"
	"ecr-cross-account-credential-provider/pkg/plan"
	"ecr-cross-account-credential-provider/pkg/secret"
)

// identityToken is a token in the form that stscreds requires.
type identityToken secret.Text

// GetIdentityToken returns the token.
func (t identityToken) GetIdentityToken() ([]byte, error) {
	return []byte(secret.Text(t).Reveal()), nil
}

// assumeWithToken exchanges a service account's token for a role's credentials
// (AssumeRoleWithWebIdentity). It needs no credentials of the node.
func (c Chain) assumeWithToken(ctx context.Context, s STS, account plan.ServiceAccount, token secret.Text) (Session, error) {
	session, err := c.Exchange(ctx, s, account, token)
	if err != nil {
		return Session{}, c.explainExchange(err, account)
	}
	return session, nil
}

// Exchange exchanges the token for the credentials of the service account's role.
// The error holds only the cause. It names neither the role nor the service
// account.
func (c Chain) Exchange(ctx context.Context, s STS, account plan.ServiceAccount, token secret.Text) (Session, error) {
	c.API.KeepSecret(token)
	client, err := c.API.STS(s.Region, s.FIPS, aws.Credentials{})
	if err != nil {
		return Session{}, err
	}
	role := account.Role
	provider := stscreds.NewWebIdentityRoleProvider(client, role.ARN, identityToken(token), func(o *stscreds.WebIdentityRoleOptions) {
		o.RoleSessionName = role.SessionName.String()
		o.Duration = time.Duration(role.DurationSeconds) * time.Second
	})
	credentials, err := awsapi.Call(ctx, c.API, "service_account", provider.Retrieve)
	if err != nil {
		return Session{}, err
	}
	return c.session(credentials, role.ARN)
}

func (c Chain) explainExchange(err error, account plan.ServiceAccount) error {
	who := "the pod's service account"
	if name := account.Claims.Name(); name != "" {
		who = "service account " + name
	}
	return c.failed("assuming role "+account.Role.ARN, who, err, after(exchangeHint(err)))
}

// exchangeHint returns what to do about a token that STS did not exchange.
func exchangeHint(err error) string {
	class, ok := failure.Of(err)
	switch {
	case !ok:
		return ""
	case class == failure.Refused:
		return "the role's trust policy must name the cluster's OIDC provider and allow this subject and audience"
	case class == failure.CallersToken:
		return "the role's account needs an IAM OIDC provider for the cluster's issuer, with the audience of the provider's tokenAttributes"
	}
	return awsapi.Hint(err, "STS")
}
