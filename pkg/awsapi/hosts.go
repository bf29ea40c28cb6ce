package awsapi

import (
	"context"
	"errors"
	"net/url"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"ecr-cross-account-credential-provider/pkg/registry"
)

// STSHost returns the host of STS in a region. It sends nothing.
func (a *API) STSHost(region registry.Region, fips bool) (string, error) {
	u, err := a.STSURL(region, fips)
	return u.Host, err
}

// STSURL returns the URL of STS in a region. It sends nothing.
func (a *API) STSURL(region registry.Region, fips bool) (url.URL, error) {
	return a.urlOf(func(ctx context.Context, a *API) error {
		client, err := a.STS(region, fips, nobody())
		if err == nil {
			_, err = client.GetCallerIdentity(ctx, nil)
		}
		return err
	})
}

// ECRHost returns the host of the API that issues a registry's tokens. It sends
// nothing.
func (a *API) ECRHost(api registry.API) (string, error) {
	u, err := a.ECRURL(api)
	return u.Host, err
}

// ECRURL returns the URL of the API that issues a registry's tokens. It sends
// nothing.
func (a *API) ECRURL(api registry.API) (url.URL, error) {
	return a.urlOf(func(ctx context.Context, a *API) error {
		if api.Public {
			client, err := a.ECRPublic(nobody())
			if err == nil {
				_, err = client.GetAuthorizationToken(ctx, nil)
			}
			return err
		}
		client, err := a.ECR(api, nobody())
		if err == nil {
			_, err = client.GetAuthorizationToken(ctx, nil)
		}
		return err
	})
}

// nobody returns placeholder credentials for a request that is never signed.
func nobody() aws.Credentials {
	return aws.Credentials{AccessKeyID: "nobody", SecretAccessKey: "nothing"}
}

// urlOf starts a call and stops it once its URL is known. So the URL is that of a
// real call.
//
//nolint:contextcheck,nolintlint // nothing waits; contextcheck reports the callers
func (a *API) urlOf(call func(context.Context, *API) error) (url.URL, error) {
	var found url.URL
	stopped := errors.New("stopped before it was sent")
	stop := middleware.FinalizeMiddlewareFunc("Stop", func(_ context.Context, in middleware.FinalizeInput, _ middleware.FinalizeHandler) (
		out middleware.FinalizeOutput, metadata middleware.Metadata, err error,
	) {
		if request, ok := in.Request.(*smithyhttp.Request); ok {
			found = *request.URL
		}
		return out, metadata, stopped
	})
	probe := &API{cfg: a.cfg.Copy(), options: a.options}
	probe.cfg.APIOptions = append(slices.Clone(a.cfg.APIOptions), func(s *middleware.Stack) error {
		return s.Finalize.Insert(stop, "ResolveEndpointV2", middleware.After)
	})
	if err := call(context.Background(), probe); !errors.Is(err, stopped) || found.Host == "" {
		return url.URL{}, a.explain(err, progress{})
	}
	return found, nil
}

// stsFIPS are the regions of partition aws in which STS has a FIPS endpoint. All
// regions of GovCloud have one, too. Sources: the SDK's endpoints, and AWS's page
// "FIPS".
var stsFIPS = []string{"us-east-1", "us-east-2", "us-west-1", "us-west-2"}

// STSHasFIPS reports whether a FIPS registry's roles can be assumed in a region.
// They can if STS has a FIPS endpoint there, or if an endpoint is configured.
func (a *API) STSHasFIPS(region registry.Region) bool {
	if region.Partition() == registry.AWSUSGov || slices.Contains(stsFIPS, region.String()) {
		return true
	}
	client, err := a.STS(region, false, nobody())
	return err == nil && client.Options().BaseEndpoint != nil
}
