package awsapi

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecr"
	"github.com/aws/aws-sdk-go-v2/service/ecrpublic"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	smithyendpoints "github.com/aws/smithy-go/endpoints"

	"ecr-cross-account-credential-provider/pkg/printable"
	"ecr-cross-account-credential-provider/pkg/registry"
)

// The hosts below are what the clients of this package would call, found by the
// SDK's own rules and without asking the network.

// STSHost is where roles are assumed in a region.
func (a *API) STSHost(ctx context.Context, region registry.Region, fips bool) (string, error) {
	client, err := a.STS(region, fips, aws.Credentials{})
	if err != nil {
		return "", err
	}
	o := client.Options()
	return hostOf(o.EndpointResolverV2.ResolveEndpoint(ctx, sts.EndpointParameters{
		Region:       aws.String(region.String()),
		Endpoint:     o.BaseEndpoint,
		UseFIPS:      aws.Bool(o.EndpointOptions.UseFIPSEndpoint == aws.FIPSEndpointStateEnabled),
		UseDualStack: aws.Bool(o.EndpointOptions.UseDualStackEndpoint == aws.DualStackEndpointStateEnabled),
	}))
}

// ECRHost is where a private registry's tokens come from.
func (a *API) ECRHost(ctx context.Context, reg registry.Registry) (string, error) {
	return hostOf(a.ecrEndpoint(ctx, reg))
}

func (a *API) ecrEndpoint(ctx context.Context, reg registry.Registry) (smithyendpoints.Endpoint, error) {
	client, err := a.ECR(reg, aws.Credentials{})
	if err != nil {
		return smithyendpoints.Endpoint{}, err
	}
	o := client.Options()
	return o.EndpointResolverV2.ResolveEndpoint(ctx, ecr.EndpointParameters{
		Region:       aws.String(reg.Region().String()),
		Endpoint:     o.BaseEndpoint,
		UseFIPS:      aws.Bool(o.EndpointOptions.UseFIPSEndpoint == aws.FIPSEndpointStateEnabled),
		UseDualStack: aws.Bool(o.EndpointOptions.UseDualStackEndpoint == aws.DualStackEndpointStateEnabled),
	})
}

// PublicHost is where ECR Public's tokens come from.
func (a *API) PublicHost(ctx context.Context) (string, error) {
	client, err := a.ECRPublic(aws.Credentials{})
	if err != nil {
		return "", err
	}
	o := client.Options()
	return hostOf(o.EndpointResolverV2.ResolveEndpoint(ctx, ecrpublic.EndpointParameters{
		Region:       aws.String(PublicRegion),
		Endpoint:     o.BaseEndpoint,
		UseFIPS:      aws.Bool(o.EndpointOptions.UseFIPSEndpoint == aws.FIPSEndpointStateEnabled),
		UseDualStack: aws.Bool(o.EndpointOptions.UseDualStackEndpoint == aws.DualStackEndpointStateEnabled),
	}))
}

func hostOf(endpoint smithyendpoints.Endpoint, err error) (string, error) {
	if err != nil {
		return "", &Error{Class: Misconfigured, text: printable.Line(err.Error(), maxText), err: err}
	}
	return endpoint.URI.Host, nil
}
