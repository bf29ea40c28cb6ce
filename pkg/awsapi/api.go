// Package awsapi is the only path to AWS. It makes the clients of AWS's services,
// limits and retries their calls, and classifies their errors.
package awsapi

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"sync"
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

	"ecr-cross-account-credential-provider/pkg/failure"
	"ecr-cross-account-credential-provider/pkg/registry"
	"ecr-cross-account-credential-provider/pkg/secret"
	"ecr-cross-account-credential-provider/pkg/trace"
)

// API makes clients of AWS's services. Load makes it.
type API struct {
	cfg      aws.Config
	metadata *imds.Client
	options  Options
	secrets  secret.Redactor // removed from every text from outside

	profiles  []*config.SharedConfig // the profile, and its chain of source_profile
	skew      atomic.Int64           // how far AWS's clock is ahead of the node's
	retries   atomic.Int64           // made so far, without those of WithBudget
	transport *http.Transport        // as the SDK set it up, with the CA bundle
	preopened sync.Map               // host:port to chan net.Conn; if connecting failed, the channel is closed and empty
}

// Options are what an API needs. Timeouts, Now and Random are required.
type Options struct {
	Timeouts Timeouts
	// Now is the node's clock.
	Now func() time.Time
	// Random returns a number in [0, 1).
	Random func() float64
	// ECREndpoints and STSEndpoints are URLs by region. They replace AWS's own.
	ECREndpoints, STSEndpoints map[registry.Region]string
	// STSRegion is the region whose STS is asked who the node is. Zero stands for the
	// node's own region.
	STSRegion registry.Region
	// Profile and ConfigFile say where the node's identity comes from. They
	// override the environment.
	Profile, ConfigFile string
	// Environ is the process's environment, NAME=VALUE. The SDK reads the
	// environment by itself. This package only searches Environ for the SDK's files
	// and for secrets.
	Environ []string
	// Trace records steps and request IDs; nil records nothing.
	Trace *trace.Trace
}

// Load reads the SDK's configuration of the node: environment, profile, CA bundle.
// It uses no network.
func Load(ctx context.Context, o Options) (*API, error) {
	a := &API{options: o, metadata: &imds.Client{}}
	a.keepEnvironment()
	if err := o.checkFiles(ctx); err != nil {
		return nil, err
	}
	process := &process{}
	var files []string
	if o.ConfigFile != "" {
		files = []string{o.ConfigFile}
	}
	cfg, err := config.LoadDefaultConfig(ctx,
		config.WithSharedConfigProfile(o.Profile),
		config.WithSharedConfigFiles(files),
		config.WithHTTPClient(apiTransport(o.Timeouts)),
		config.WithLogger(logging.Nop{}),
		config.WithAPIOptions([]stack{a.instrument(a.observe)}),
		config.WithRetryer(func() aws.Retryer { return aws.NopRetryer{} }),
		config.WithAssumeRoleCredentialOptions(process.containSource),
		config.WithEC2RoleCredentialOptions(func(o *ec2rolecreds.Options) { o.Client = a.metadata }),
		config.WithEndpointCredentialOptions(func(e *endpointcreds.Options) {
			e.HTTPClient, e.APIOptions = metadataTransport(o.Timeouts).Freeze(), []stack{refuseNull, a.instrument(nil)}
		}),
	)
	if err != nil {
		return nil, fmt.Errorf("reading the node's AWS configuration: %s", a.clean(err.Error()))
	}
	a.useSettings(&cfg, process)
	if client, ok := cfg.HTTPClient.(*awshttp.BuildableClient); ok { // with the CA bundle
		cfg.HTTPClient = a.usePreopened(client).Freeze()
	}
	*a.metadata = *imds.NewFromConfig(cfg, a.useVersion2)
	a.cfg = cfg
	return a, nil
}

// useVersion2 sets up the client of IMDS without IMDSv1. Version 1 answers anybody
// who can make the node send a request.
func (a *API) useVersion2(o *imds.Options) {
	o.HTTPClient, o.APIOptions = metadataTransport(a.options.Timeouts).Freeze(), []stack{a.instrument(nil)}
	o.Retryer, o.EnableFallback = aws.NopRetryer{}, aws.FalseTernary
}

// stack changes the middleware of an operation.
type stack = func(*middleware.Stack) error

// Instance is what IMDS says about the EC2 instance.
type Instance struct{ ID, Region, Account string }

// Instance asks IMDS for the instance's identity document.
func (a *API) Instance(ctx context.Context) (Instance, error) {
	ctx, cancel := context.WithTimeout(ctx, a.options.Timeouts.Instance)
	defer cancel()
	return Call(ctx, a, "instance", func(ctx context.Context) (Instance, error) {
		document, err := a.metadata.GetInstanceIdentityDocument(ctx, nil)
		if err != nil {
			return Instance{}, err
		}
		return Instance{ID: document.InstanceID, Region: document.Region, Account: document.AccountID}, nil
	})
}

// STS makes a client of STS in a region. The client uses the given credentials.
func (a *API) STS(region registry.Region, fips bool, as aws.Credentials) (*sts.Client, error) {
	e := endpoint{url: a.options.STSEndpoints[region], fips: fips}
	client := sts.NewFromConfig(a.as(region.String(), as), func(o *sts.Options) {
		e.settle(&o.BaseEndpoint, &o.EndpointOptions.UseFIPSEndpoint, &o.EndpointOptions.UseDualStackEndpoint)
	})
	return client, a.check(e)
}

// ECR makes a client of the API that issues the tokens of private registries.
func (a *API) ECR(api registry.API, as aws.Credentials) (*ecr.Client, error) {
	e := endpoint{url: a.options.ECREndpoints[api.Region], fips: api.FIPS, dualStack: api.DualStack}
	client := ecr.NewFromConfig(a.as(api.Region.String(), as), func(o *ecr.Options) {
		e.settle(&o.BaseEndpoint, &o.EndpointOptions.UseFIPSEndpoint, &o.EndpointOptions.UseDualStackEndpoint)
	})
	return client, a.check(e)
}

// publicRegion is the only region that has the API of ECR Public.
const publicRegion = "us-east-1"

// ECRPublic makes a client of ECR Public's API.
func (a *API) ECRPublic(as aws.Credentials) (*ecrpublic.Client, error) {
	e := endpoint{}
	client := ecrpublic.NewFromConfig(a.as(publicRegion, as), func(o *ecrpublic.Options) {
		e.settle(&o.BaseEndpoint, &o.EndpointOptions.UseFIPSEndpoint, &o.EndpointOptions.UseDualStackEndpoint)
	})
	return client, a.check(e)
}

// as returns the configuration for calls in a region with the given credentials.
// These calls do not look for other credentials.
func (a *API) as(region string, as aws.Credentials) aws.Config {
	a.keepCredentials(as)
	cfg := a.cfg.Copy()
	cfg.Region = region
	cfg.Credentials = credentials.StaticCredentialsProvider{Value: as}
	return cfg
}

// endpoint is where a client's calls go. An empty url means AWS's own endpoint.
type endpoint struct {
	url             string
	fips, dualStack bool
}

// settle sets a client's options, and notes the URL that they name, if any. It
// turns FIPS and dual-stack off if there is a URL, because the SDK refuses the
// combination.
func (e *endpoint) settle(base **string, fips *aws.FIPSEndpointState, dualStack *aws.DualStackEndpointState) {
	if e.fips {
		*fips = aws.FIPSEndpointStateEnabled
	}
	if e.dualStack {
		*dualStack = aws.DualStackEndpointStateEnabled
	}
	if e.url != "" {
		*base = &e.url
	}
	if *base != nil {
		e.url = **base
		*fips, *dualStack = aws.FIPSEndpointStateDisabled, aws.DualStackEndpointStateDisabled
	}
}

// check returns an error if nothing may be sent to the endpoint.
func (a *API) check(e endpoint) error {
	if e.url == "" {
		return nil
	}
	u, err := url.Parse(e.url)
	if err == nil && u.Host != "" {
		err = checkEndpoint(u)
	} else {
		err = &knownError{cause: cause{text: "the endpoint that AWS_ENDPOINT_URL_* or the profile names is not a URL", class: failure.Misconfigured}}
	}
	if err != nil {
		return a.explain(err, progress{})
	}
	return nil
}
