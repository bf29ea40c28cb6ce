package identity

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials/ec2rolecreds"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"ecr-cross-account-credential-provider/pkg/awsapi"
	"ecr-cross-account-credential-provider/pkg/registry"
)

// Node is the node's own identity. It makes each call at most once, when a caller
// first needs the result.
type Node struct {
	api      *awsapi.API
	hostname string
	session  func(context.Context) (Session, error)
	instance func(context.Context) (awsapi.Instance, error)
	caller   func(context.Context) (Caller, error)
}

// NewNode returns the node's identity. hostname names the node if it is not an EC2
// instance.
func NewNode(api *awsapi.API, hostname string) *Node {
	n := &Node{api: api, hostname: hostname}
	n.session = once(n.retrieve)
	n.instance = once(api.Instance)
	n.caller = once(n.askCaller)
	return n
}

// once returns a function that calls ask once, and keeps its result.
func once[T any](ask func(context.Context) (T, error)) func(context.Context) (T, error) {
	var first sync.Once
	var answer T
	var err error
	return func(ctx context.Context) (T, error) {
		first.Do(func() { answer, err = ask(ctx) })
		return answer, err
	}
}

// Session returns the node's own credentials, from the SDK's default chain.
func (n *Node) Session(ctx context.Context) (Session, error) { return n.session(ctx) }

func (n *Node) retrieve(ctx context.Context) (Session, error) {
	credentials, err := n.api.NodeCredentials(ctx)
	if err != nil {
		return Session{}, fmt.Errorf("no AWS credentials on this node: %w; %s", err, cmp.Or(awsapi.Hint(err, "STS"), "attach an instance profile, or set credentials in the provider's env"))
	}
	return NewSession(credentials, "the node's identity ("+credentials.Source+")", time.Time{}), nil
}

// Name returns the node's name for sessions: the instance ID, else the host name.
func (n *Node) Name(ctx context.Context) string {
	if instance, err := n.instance(ctx); err == nil && instance.ID != "" {
		return instance.ID
	}
	return n.hostname
}

// Region returns the node's region, from the environment or the profile, else from
// IMDS. It returns the zero Region if none of them has a region. It returns an
// error if the environment or the profile names something that is not a region.
func (n *Node) Region(ctx context.Context) (registry.Region, error) {
	region, err := n.api.NamedRegion()
	if err != nil || !region.IsZero() {
		return region, err
	}
	instance, err := n.instance(ctx)
	if err != nil {
		return registry.Region{}, nil //nolint:nilerr // not an EC2 instance, or IMDS is off: the region is unknown
	}
	region, _ = registry.ParseRegion(instance.Region) // zero if IMDS has none
	return region, nil
}

// Account returns the account of the node's identity. The account comes from the
// credentials, or from IMDS for an instance profile, or else from STS.
func (n *Node) Account(ctx context.Context) (registry.Account, error) {
	session, err := n.Session(ctx)
	if err != nil {
		return registry.Account{}, err
	}
	id := session.Credentials().AccountID
	if id == "" && session.Credentials().Source == ec2rolecreds.ProviderName {
		if instance, err := n.instance(ctx); err == nil {
			id = instance.Account
		}
	}
	if id == "" {
		caller, err := n.Caller(ctx)
		if err != nil {
			return registry.Account{}, fmt.Errorf("asking STS for the node's own account, which the configuration names as own: %w", err)
		}
		id = caller.Account
	}
	return registry.ParseAccount(id)
}

// STSRegion returns the region whose STS Caller asks: the one that sts.region names, else
// the node's own. It is never the registry's, which the author of a pod chooses.
func (n *Node) STSRegion(ctx context.Context) (registry.Region, error) {
	if region := n.api.STSRegion(); !region.IsZero() {
		return region, nil
	}
	return n.Region(ctx)
}

// Caller is the identity that STS sees in the node's credentials.
type Caller struct{ Account, ARN string }

// Caller calls GetCallerIdentity, which needs no permission.
func (n *Node) Caller(ctx context.Context) (Caller, error) { return n.caller(ctx) }

func (n *Node) askCaller(ctx context.Context) (Caller, error) {
	session, err := n.Session(ctx)
	if err != nil {
		return Caller{}, err
	}
	region, err := n.STSRegion(ctx)
	if err != nil {
		return Caller{}, err
	}
	if region.IsZero() {
		return Caller{}, errors.New("the node's region is not known; set AWS_REGION in the provider's env")
	}
	client, err := n.api.STS(region, false, session.Credentials())
	if err != nil {
		return Caller{}, err
	}
	answer, err := awsapi.Call(ctx, n.api, "account", func(ctx context.Context) (*sts.GetCallerIdentityOutput, error) {
		return client.GetCallerIdentity(ctx, nil)
	})
	if err != nil {
		return Caller{}, err
	}
	if answer.Account == nil {
		return Caller{}, awsapi.Unusable("STS answered without an account")
	}
	return Caller{Account: *answer.Account, ARN: aws.ToString(answer.Arn)}, nil
}
