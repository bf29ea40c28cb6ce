package awsapi

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials/ec2rolecreds"
)

type loadOption = func(*config.LoadOptions) error

// source is where the configuration says the node's identity comes from.
func (o Options) source() ([]loadOption, error) {
	var options []loadOption
	if o.Profile != "" {
		options = append(options, config.WithSharedConfigProfile(o.Profile))
	}
	if o.ConfigFile != "" {
		if _, err := os.Stat(o.ConfigFile); err != nil {
			return nil, fmt.Errorf("reading the AWS configuration that node.configFile names: %w", err)
		}
		options = append(options, config.WithSharedConfigFiles([]string{o.ConfigFile}))
	}
	return options, nil
}

// NodeCredentials are those of the SDK's default chain, or of the profile that
// Options name. The error names what was tried, in order.
func (a *API) NodeCredentials(ctx context.Context) (aws.Credentials, error) {
	ctx, cancel := context.WithTimeout(ctx, a.options.Timeouts.Source)
	defer cancel()
	credentials, err := Call(ctx, a, a.cfg.Credentials.Retrieve)
	var e *Error
	if errors.As(err, &e) && e.Class == CallersToken {
		e.Class = Unavailable // a web identity, but the node's own: no pod's fault
	}
	if err == nil && !credentials.HasKeys() {
		err = Unusable(credentials.Source + " gave none")
	}
	if err != nil && aws.IsCredentialsProvider(a.cfg.Credentials, (*ec2rolecreds.Provider)(nil)) {
		err = fmt.Errorf("%s then the instance's profile by IMDS: %w%s", a.tried(), err, hintIMDS(err))
	}
	return credentials, err
}

// tried lists the sources that the chain asks before IMDS, none of which is there
// when it comes to that.
func (a *API) tried() string {
	profile := "default"
	for _, source := range a.cfg.ConfigSources {
		switch s := source.(type) {
		case config.EnvConfig:
			if s.SharedConfigProfile != "" {
				profile = s.SharedConfigProfile
			}
		case config.SharedConfig:
			if s.Profile != "" {
				profile = s.Profile
			}
		}
	}
	return strings.Join([]string{
		"tried the environment (AWS_ACCESS_KEY_ID is not set)",
		"profile " + profile + " (it has none)",
		"a web identity (AWS_WEB_IDENTITY_TOKEN_FILE is not set)",
		"a container's endpoint (AWS_CONTAINER_CREDENTIALS_FULL_URI is not set)", "",
	}, ", ")
}

// hintIMDS tells what an answer of IMDS means here.
func hintIMDS(err error) string {
	switch statusOf(err) {
	case http.StatusNotFound:
		return " (no instance profile is attached)"
	case http.StatusUnauthorized, http.StatusForbidden:
		return " (the metadata service is off, or refuses version 2)"
	}
	return ""
}
