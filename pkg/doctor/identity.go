package doctor

import (
	"cmp"
	"context"
	"fmt"
	"time"

	"ecr-cross-account-credential-provider/pkg/awsapi"
	"ecr-cross-account-credential-provider/pkg/diagnosis"
	"ecr-cross-account-credential-provider/pkg/failure"
	"ecr-cross-account-credential-provider/pkg/iampolicy"
	"ecr-cross-account-credential-provider/pkg/identity"
	"ecr-cross-account-credential-provider/pkg/registry"
	"ecr-cross-account-credential-provider/pkg/rule"
)

// awsState is this node's access to AWS.
type awsState struct {
	api  *awsapi.API
	node *identity.Node
	err  error // of reading the SDK's settings

	caller identity.Caller // zero if not known
	ownErr error           // of ownAccount
}

// load reads the SDK's settings once.
func (a *awsState) load(ctx context.Context, e *examination) error {
	if a.api != nil || a.err != nil {
		return a.err
	}
	if a.api, a.err = awsapi.Load(ctx, e.Process.AWS(e.config, nil)); a.err == nil {
		a.node = identity.NewNode(a.api, e.Process.Hostname)
	}
	return a.err
}

// ownAccount returns the account of the node's identity. If the credentials do not say it,
// STS must.
func (e *examination) ownAccount(ctx context.Context) (own registry.Account, err error) {
	defer func() { e.aws.ownErr = err }()
	if err := e.aws.load(ctx, e); err != nil {
		return registry.Account{}, err
	}
	if _, err := e.aws.node.Session(ctx); err != nil {
		return registry.Account{}, err
	}
	ctx, cancel := context.WithTimeout(ctx, e.Limits.Call)
	defer cancel()
	return e.aws.node.Account(ctx)
}

// ownUnknown returns the finding for a pull whose plan depends on the node's own account,
// after ownAccount has failed. Without the account, the plugin fails, too.
func (e *examination) ownUnknown(ctx context.Context) diagnosis.Finding {
	const depends = "it depends on the node's own account, which is not known; see "
	if e.aws.err != nil {
		return diagnosis.Skip(depends + awsSettings.Code)
	}
	if _, err := e.aws.node.Session(ctx); err != nil {
		return diagnosis.Skip(depends + nodeIdentity.Code)
	}
	err := e.aws.ownErr
	class, ok := failure.Of(err)
	if !ok {
		return diagnosis.Fail(diagnosis.Node, err.Error(), "correct that, or write the account's 12 digits in place of own")
	}
	f := unanswered(err, "STS")
	if class == failure.Refused {
		f = e.callerRefused(err)
	}
	f.Detail = err.Error() // it also says why STS was asked
	return f
}

// callerRefused returns the finding for a refused GetCallerIdentity. The call needs no
// permission of the caller, so the policy of an endpoint refuses it.
func (e *examination) callerRefused(err error) diagnosis.Finding {
	d, _ := parseDenial(cause(err))
	d.policy = endpoint
	caller := cmp.Or(e.callersRole("", d), "*")
	return e.refused(err, d, request{
		caller: caller, byEndpoint: missingStatement(endpointPolicy, "the STS endpoint of the nodes' VPC", iampolicy.PassCallerIdentity(caller)),
	})
}

// connected checks the SDK's settings.
func (e *examination) connected(ctx context.Context) {
	e.settings = e.do(ctx, &diagnosis.Check{Kind: awsSettings, Needs: []*diagnosis.Check{e.configuration}, Run: func(ctx context.Context) diagnosis.Finding {
		if err := e.aws.load(ctx, e); err != nil {
			return diagnosis.Fail(diagnosis.Node, err.Error(), "correct the AWS_* variables of the kubelet or of the provider's env, or the files that they name")
		}
		if _, err := e.aws.api.NamedRegion(); err != nil {
			return diagnosis.Fail(diagnosis.Node, err.Error(), "set AWS_REGION in the provider's env to a region's name")
		}
		return diagnosis.Fine("environment, profile and CA bundle can be read")
	}})
	if e.settings.Result == diagnosis.OK {
		e.startNetwork(ctx)
	}
}

// These are the limits of the node's clock error. AWS refuses requests whose signature
// time is more than 5 minutes off (IAM User Guide, "Troubleshooting signed requests").
const (
	clockWarning = 30 * time.Second
	clockFailure = 5 * time.Minute
)

// timed compares the node's clock with the Date of the first host that answered.
func (e *examination) timed(ctx context.Context) {
	e.do(ctx, &diagnosis.Check{Kind: clock, Needs: []*diagnosis.Check{e.settings}, Run: func(ctx context.Context) diagnosis.Finding {
		ahead, host, ok := e.network.skew(ctx)
		if !ok {
			return diagnosis.Skip("no host of AWS answered with a time")
		}
		where := "behind"
		if ahead < 0 {
			where = "ahead of"
		}
		detail := fmt.Sprintf("the node's clock is %s %s the clock of %s", rule.ShortDuration(ahead.Abs().Round(time.Second)), where, host)
		const hint = "set the clock, for example by chrony with the Amazon Time Sync Service (169.254.169.123)"
		switch {
		case ahead.Abs() >= clockFailure:
			return diagnosis.Fail(diagnosis.Node, detail, hint)
		case ahead.Abs() >= clockWarning:
			return diagnosis.Warn(detail, hint)
		}
		return diagnosis.Fine("it agrees with the clock of " + host)
	}})
}

// identified checks the node's own identity.
func (e *examination) identified(ctx context.Context) {
	e.credentials = e.do(ctx, &diagnosis.Check{Kind: nodeIdentity, Needs: []*diagnosis.Check{e.settings}, Run: func(ctx context.Context) diagnosis.Finding {
		session, err := e.aws.node.Session(ctx)
		if err == nil {
			return diagnosis.Fine("from " + session.Credentials().Source)
		}
		if !e.needsNode() {
			return diagnosis.Warn(cause(err), "no plan here needs them")
		}
		return diagnosis.Fail(diagnosis.Node, cause(err), awsapi.Hint(err, "STS"))
	}})
	e.do(ctx, &diagnosis.Check{Kind: callerAccount, Needs: []*diagnosis.Check{e.credentials}, Run: e.identify})
}

// needsNode reports whether a plan needs the node's identity, or its account. Images of
// ECR Public can also be pulled without a token.
func (e *examination) needsNode() bool {
	for _, s := range e.subjects {
		if !s.registry.Public() && (s.plan.ServiceAccount == nil || s.plan.NodeWhenRefused) {
			return true
		}
	}
	return len(e.subjects) == 0 || e.aws.ownErr != nil
}

// identify asks STS who the node is. A refusal is only a warning, because the pulls here do
// not need that call. An endpoint's policy may allow only AssumeRole.
func (e *examination) identify(ctx context.Context) diagnosis.Finding {
	if e.credentials.Result != diagnosis.OK {
		return diagnosis.Skip("the node has no credentials, and no plan here needs them")
	}
	if e.aws.ownErr != nil {
		return diagnosis.Skip("the node's own account is not known; see " + imagePlan.Code)
	}
	if p := e.network.callerSTS; p != nil && p.wait(ctx).err != nil {
		return diagnosis.Skip(p.url.Host + " was not reached; see " + reachSTS.Code)
	}
	ctx, cancel := context.WithTimeout(ctx, e.Limits.Call)
	defer cancel()
	caller, err := e.aws.node.Caller(ctx)
	if err == nil {
		e.aws.caller = caller
		return diagnosis.Fine(caller.ARN)
	}
	class, ok := failure.Of(err)
	switch {
	case !ok:
		return diagnosis.Warn(err.Error(), "only this check needs the call")
	case class == failure.Refused:
		return diagnosis.Warn(cause(err), "the policy of the STS endpoint does not allow the call; only this check needs it")
	}
	return unanswered(err, "STS")
}
