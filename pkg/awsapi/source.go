package awsapi

import (
	"cmp"
	"context"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials/ec2rolecreds"

	"ecr-cross-account-credential-provider/pkg/failure"
)

// sourceKey is the context key of NodeCredentials' own context, which limits the
// search for credentials.
type sourceKey struct{}

// useSettings copies settings that the SDK has read: the profile, its chain of
// source profiles, the credential_process of the last profile, and the number of
// attempts. The SDK does not use that number if the caller sets a Retryer.
func (a *API) useSettings(cfg *aws.Config, p *process) {
	for _, source := range cfg.ConfigSources {
		switch s := source.(type) {
		case config.EnvConfig:
			cfg.RetryMaxAttempts = s.RetryMaxAttempts
		case config.SharedConfig:
			cfg.RetryMaxAttempts = cmp.Or(cfg.RetryMaxAttempts, s.RetryMaxAttempts)
			for profile := &s; profile != nil; profile = profile.Source {
				a.profiles = append(a.profiles, profile)
				a.keepCredentials(profile.Credentials)
				p.command = profile.CredentialProcess
			}
		}
	}
	if isProcess(cfg.Credentials) {
		cfg.Credentials = p
	}
}

// NodeCredentials returns the credentials of the SDK's default chain, or of the
// profile that Options name. If all sources of the chain were tried, the error
// lists them in order.
func (a *API) NodeCredentials(ctx context.Context) (aws.Credentials, error) {
	ctx, cancel := context.WithTimeout(ctx, a.options.Timeouts.Source)
	defer cancel()
	ctx = context.WithValue(ctx, sourceKey{}, ctx)
	credentials, err := Call(ctx, a, "credentials", func(ctx context.Context) (aws.Credentials, error) {
		a.keepTokenFiles()
		return a.cfg.Credentials.Retrieve(ctx)
	})
	a.keepCredentials(credentials)
	if e, ok := errors.AsType[*Error](err); ok && e.class == failure.CallersToken {
		e.class = failure.Unavailable // the node's own web identity, not a pod's
	}
	if err == nil && !credentials.HasKeys() {
		err = Unusable(credentials.Source + " gave none")
	}
	if err != nil && aws.IsCredentialsProvider(a.cfg.Credentials, (*ec2rolecreds.Provider)(nil)) {
		err = fmt.Errorf("tried %s, a container's endpoint (AWS_CONTAINER_CREDENTIALS_FULL_URI is not set), "+
			"then the instance's profile by IMDS: %w", a.firstSources(), err)
	}
	return credentials, err
}

// firstSources lists the sources that the SDK tries before a container's endpoint, and
// why they give nothing. If Options name the profile, the SDK looks neither for keys nor
// for a web identity in the environment.
func (a *API) firstSources() string {
	profile := a.options.profile()
	if len(a.profiles) > 0 {
		profile = cmp.Or(a.profiles[0].Profile, profile)
	}
	profile = "profile " + profile + " (it has none)"
	if a.options.Profile != "" {
		return profile
	}
	return "the environment (AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY are not both set), " +
		"a web identity (AWS_WEB_IDENTITY_TOKEN_FILE is not set), " + profile
}
