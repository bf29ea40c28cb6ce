package ecr

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/service/ecr"
	"github.com/aws/aws-sdk-go-v2/service/ecrpublic"

	"ecr-cross-account-credential-provider/pkg/awsapi"
	"ecr-cross-account-credential-provider/pkg/identity"
	"ecr-cross-account-credential-provider/pkg/record"
	"ecr-cross-account-credential-provider/pkg/registry"
)

// Authorize asks the ECR of a private registry's region for a token. The token
// is good for what the session may pull, in any account.
func Authorize(ctx context.Context, api *awsapi.API, reg registry.Registry, as identity.Session) (Token, error) {
	defer record.Step(ctx, "token")()
	token, err := authorize(ctx, api, reg, as)
	if err != nil {
		return Token{}, fmt.Errorf("getting a token for registry %s as %s: %w%s", reg, as, err, hint(err, reg, as))
	}
	return token, nil
}

func authorize(ctx context.Context, api *awsapi.API, reg registry.Registry, as identity.Session) (Token, error) {
	client, err := api.ECR(reg, as.Credentials())
	if err != nil {
		return Token{}, err
	}
	answer, err := awsapi.Call(ctx, api, func(ctx context.Context) (*ecr.GetAuthorizationTokenOutput, error) {
		return client.GetAuthorizationToken(ctx, nil)
	})
	if err != nil {
		return Token{}, err
	}
	if len(answer.AuthorizationData) == 0 {
		return Token{}, unusable("no token")
	}
	data := answer.AuthorizationData[0]
	return parse(data.AuthorizationToken, data.ExpiresAt, api.Now())
}

// AuthorizePublic asks ECR Public for a token. Pulls do without one, at a lower
// rate, so its errors are for nobody to act on.
func AuthorizePublic(ctx context.Context, api *awsapi.API, as identity.Session) (Token, error) {
	defer record.Step(ctx, "token")()
	client, err := api.ECRPublic(as.Credentials())
	if err != nil {
		return Token{}, err
	}
	answer, err := awsapi.Call(ctx, api, func(ctx context.Context) (*ecrpublic.GetAuthorizationTokenOutput, error) {
		return client.GetAuthorizationToken(ctx, nil)
	})
	if err != nil {
		return Token{}, err
	}
	if answer.AuthorizationData == nil {
		return Token{}, unusable("no token")
	}
	return parse(answer.AuthorizationData.AuthorizationToken, answer.AuthorizationData.ExpiresAt, api.Now())
}

// hint says what to do about an error.
func hint(err error, reg registry.Registry, as identity.Session) string {
	if awsapi.NoAnswer(err) {
		return "; the node must reach the ECR API of " + reg.Region().String() + ": by the internet, or an interface endpoint for it"
	}
	if class, _ := awsapi.ClassOf(err); class == awsapi.Refused {
		return "; allow ecr:GetAuthorizationToken on * to " + as.Principal
	}
	return "" // AWS's own words say what is wrong
}
