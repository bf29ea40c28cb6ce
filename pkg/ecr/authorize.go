package ecr

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/service/ecr"
	"github.com/aws/aws-sdk-go-v2/service/ecrpublic"

	"ecr-cross-account-credential-provider/pkg/awsapi"
	"ecr-cross-account-credential-provider/pkg/failure"
	"ecr-cross-account-credential-provider/pkg/identity"
	"ecr-cross-account-credential-provider/pkg/registry"
)

// Authorize requests a token from an API. The token has the session's permissions
// for registries of any account. host is the registry's host, for messages.
func Authorize(ctx context.Context, api *awsapi.API, from registry.API, host string, as identity.Session) (Token, error) {
	token, err := authorize(ctx, api, from, as)
	if err != nil {
		return Token{}, fmt.Errorf("getting a token for registry %s as %s: %w%s", host, as.Principal, err, hint(err, from, as))
	}
	return token, nil
}

func authorize(ctx context.Context, api *awsapi.API, from registry.API, as identity.Session) (Token, error) {
	client, err := api.ECR(from, as.Credentials())
	if err != nil {
		return Token{}, err
	}
	answer, err := awsapi.Call(ctx, api, "token", func(ctx context.Context) (*ecr.GetAuthorizationTokenOutput, error) {
		return client.GetAuthorizationToken(ctx, nil)
	})
	if err != nil {
		return Token{}, err
	}
	if len(answer.AuthorizationData) == 0 {
		return Token{}, unusable("no token")
	}
	data := answer.AuthorizationData[0]
	return parse(data.AuthorizationToken, data.ExpiresAt, api)
}

// AuthorizePublic requests a token from ECR Public. Its errors have no hint,
// because anonymous pulls also work, at a lower rate.
func AuthorizePublic(ctx context.Context, api *awsapi.API, as identity.Session) (Token, error) {
	client, err := api.ECRPublic(as.Credentials())
	if err != nil {
		return Token{}, err
	}
	answer, err := awsapi.Call(ctx, api, "token", func(ctx context.Context) (*ecrpublic.GetAuthorizationTokenOutput, error) {
		return client.GetAuthorizationToken(ctx, nil)
	})
	if err != nil {
		return Token{}, err
	}
	if answer.AuthorizationData == nil {
		return Token{}, unusable("no token")
	}
	return parse(answer.AuthorizationData.AuthorizationToken, answer.AuthorizationData.ExpiresAt, api)
}

// hint returns what to do about an error, or "" if there is no hint for it.
func hint(err error, from registry.API, as identity.Session) string {
	if text := awsapi.Hint(err, "the ECR API of "+from.Region.String()); text != "" {
		return "; " + text
	}
	if class, ok := failure.Of(err); ok && class == failure.Refused {
		return "; allow ecr:GetAuthorizationToken on * to " + as.Principal
	}
	return ""
}
