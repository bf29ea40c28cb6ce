// Package awsapi is the one way to AWS: how its services are reached, for how
// long they are waited for, and what their errors mean.
package awsapi

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"sync/atomic"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/credentials/ec2rolecreds"
	"github.com/aws/aws-sdk-go-v2/credentials/endpointcreds"
	"github.com/aws/aws-sdk-go-v2/feature/ec2/imds"
	"github.com/aws/aws-sdk-go-v2/service/ecr"
	"github.com/aws/aws-sdk-go-v2/service/ecrpublic"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go/logging"
	"github.com/aws/smithy-go/middleware"

	"ecr-cross-account-credential-provider/pkg/printable"
	"ecr-cross-account-credential-provider/pkg/registry"
)

// API makes clients of AWS's services. Load makes it.
type API struct {
	cfg      aws.Config
	metadata *imds.Client
	options  Options
	clock    *clock

	retries   atomic.Int64    // made so far
	transport *http.Transport // as the SDK has set it up, CA bundle and all
	preopened *preopened
}

// Options are what an API is given; all must be set.
type Options struct {
	Timeouts Timeouts
	// Now is the node's clock.
	Now func() time.Time
	// Random is a number of [0, 1).
	Random func() float64
	// ECREndpoints and STSEndpoints are URLs by region, in place of AWS's own.
	ECREndpoints, STSEndpoints map[registry.Region]string
	// Profile and ConfigFile are where the node's identity comes from, in place
	// of what the environment says.
	Profile, ConfigFile string
}

// Load reads the SDK's configuration of the node: environment, profile, CA
// bundle. It asks nothing of the network.
func Load(ctx context.Context, o Options) (*API, error) {
	t := o.Timeouts
	metadata := &imds.Client{} // made below: its settings come with the configuration
	clock := &clock{node: o.Now}
	source, err := o.source()
	if err != nil {
		return nil, err
	}
	cfg, err := config.LoadDefaultConfig(ctx, append(source,
		config.WithHTTPClient(apiTransport(t)),
		config.WithLogger(logging.Nop{}),
		config.WithAPIOptions([]func(*middleware.Stack) error{boundSource(clock)}),
		config.WithRetryer(func() aws.Retryer { return aws.NopRetryer{} }),
		config.WithEC2RoleCredentialOptions(func(o *ec2rolecreds.Options) { o.Client = metadata }),
		config.WithEndpointCredentialOptions(func(o *endpointcreds.Options) { o.HTTPClient = boundedClient{next: metadataTransport(t)} }),
	)...)
	if err != nil {
		return nil, fmt.Errorf("reading the node's AWS configuration: %s", printable.Line(err.Error(), maxText))
	}
	containProcess(&cfg)
	cfg.APIOptions = nil // they were for the clients of the source
	// From here on: the SDK sets the CA bundle up on its own client only.
	cfg.RetryMaxAttempts = attemptsOf(ctx, cfg.ConfigSources)
	a := &API{metadata: metadata, options: o, clock: clock}
	if client, ok := cfg.HTTPClient.(*awshttp.BuildableClient); ok {
		cfg.HTTPClient = a.usePreopened(client)
	}
	cfg.HTTPClient = boundedClient{cfg.HTTPClient, clock}
	*metadata = *newMetadata(cfg, t)
	a.cfg = cfg
	return a, nil
}

// newMetadata makes a client of IMDSv2 only: version 1 answers whoever can make
// the node send a request.
func newMetadata(cfg aws.Config, t Timeouts) *imds.Client {
	return imds.NewFromConfig(cfg, func(o *imds.Options) {
		o.HTTPClient = boundedClient{next: metadataTransport(t)}
		o.Retryer = aws.NopRetryer{}
		o.EnableFallback = aws.FalseTernary
	})
}

// Now is the time by AWS's clock, as far as its answers have told it.
func (a *API) Now() time.Time { return a.clock.now() }

// Region is the region that the environment or the profile names, if any does.
func (a *API) Region() string { return a.cfg.Region }

// Instance is what an EC2 instance is told of itself.
type Instance struct {
	ID      string
	Region  string
	Account string
}

// Instance asks IMDS for the instance's identity document.
func (a *API) Instance(ctx context.Context) (Instance, error) {
	ctx, cancel := context.WithTimeout(ctx, a.options.Timeouts.Instance)
	defer cancel()
	return Call(ctx, a, func(ctx context.Context) (Instance, error) {
		document, err := a.metadata.GetInstanceIdentityDocument(ctx, nil)
		if err != nil {
			return Instance{}, err
		}
		return Instance{ID: document.InstanceID, Region: document.Region, Account: document.AccountID}, nil
	})
}

// STS makes a client of STS in a region, for somebody's credentials.
func (a *API) STS(region registry.Region, fips bool, as aws.Credentials) (*sts.Client, error) {
	var insecure error
	client := sts.NewFromConfig(a.as(region.String(), as), func(o *sts.Options) {
		if fips {
			o.EndpointOptions.UseFIPSEndpoint = aws.FIPSEndpointStateEnabled
		}
		nameEndpoint(&o.BaseEndpoint, a.options.STSEndpoints[region])
		insecure = settleEndpoint(o.BaseEndpoint, &o.EndpointOptions.UseFIPSEndpoint, &o.EndpointOptions.UseDualStackEndpoint)
	})
	return client, insecure
}

// ECR makes a client of the API that belongs to a private registry's host: in
// its region, FIPS or dual-stack where the host is.
func (a *API) ECR(reg registry.Registry, as aws.Credentials) (*ecr.Client, error) {
	var insecure error
	client := ecr.NewFromConfig(a.as(reg.Region().String(), as), func(o *ecr.Options) {
		if reg.FIPS() {
			o.EndpointOptions.UseFIPSEndpoint = aws.FIPSEndpointStateEnabled
		}
		if reg.DualStack() {
			o.EndpointOptions.UseDualStackEndpoint = aws.DualStackEndpointStateEnabled
		}
		nameEndpoint(&o.BaseEndpoint, a.options.ECREndpoints[reg.Region()])
		insecure = settleEndpoint(o.BaseEndpoint, &o.EndpointOptions.UseFIPSEndpoint, &o.EndpointOptions.UseDualStackEndpoint)
	})
	return client, insecure
}

// PublicRegion is where the API of ECR Public is, and nowhere else.
const PublicRegion = "us-east-1"

// ECRPublic makes a client of ECR Public's API.
func (a *API) ECRPublic(as aws.Credentials) (*ecrpublic.Client, error) {
	var insecure error
	client := ecrpublic.NewFromConfig(a.as(PublicRegion, as), func(o *ecrpublic.Options) {
		insecure = settleEndpoint(o.BaseEndpoint, &o.EndpointOptions.UseFIPSEndpoint, &o.EndpointOptions.UseDualStackEndpoint)
	})
	return client, insecure
}

// as is the configuration for calls in a region with credentials that are
// already there: no call goes looking for them.
func (a *API) as(region string, as aws.Credentials) aws.Config {
	cfg := a.cfg.Copy()
	cfg.Region = region
	cfg.Credentials = credentials.StaticCredentialsProvider{Value: as}
	return cfg
}

// nameEndpoint sets the endpoint that the configuration names, if it does.
func nameEndpoint(base **string, endpoint string) {
	if endpoint != "" {
		*base = aws.String(endpoint)
	}
}

// settleEndpoint lets an endpoint that is named (AWS_ENDPOINT_URL_*, or a
// profile's) stand as it is: the SDK refuses one together with FIPS or
// dual-stack.
func settleEndpoint(named *string, fips *aws.FIPSEndpointState, dualStack *aws.DualStackEndpointState) error {
	if named == nil {
		return nil
	}
	*fips, *dualStack = aws.FIPSEndpointStateDisabled, aws.DualStackEndpointStateDisabled
	u, err := url.Parse(*named)
	if err != nil || u.Host == "" {
		return &Error{Class: Misconfigured, text: "the endpoint that AWS_ENDPOINT_URL_* or the profile names is not a URL", err: errors.New("no URL")}
	}
	if err := checkEndpoint(u); err != nil {
		return &Error{Class: Misconfigured, text: printable.Line(err.Error(), maxText), err: err}
	}
	return nil
}
