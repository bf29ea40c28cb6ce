package identity

import (
	"context"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials/stscreds"
	"github.com/aws/aws-sdk-go-v2/service/sts/types"

	"ecr-cross-account-credential-provider/pkg/awsapi"
	"ecr-cross-account-credential-provider/pkg/failure"
	"ecr-cross-account-credential-provider/pkg/plan"
	"ecr-cross-account-credential-provider/pkg/registry"
	"ecr-cross-account-credential-provider/pkg/rule"
	"ecr-cross-account-credential-provider/pkg/secret"
)

// Chain executes plans for one registry.
type Chain struct {
	API  *awsapi.API
	Node *Node
	// Registry and Entry are for messages. They are the registry's host, and the
	// name of the configuration's entry.
	Registry, Entry string
}

// refusedError is STS's denial of a role. cause does not name the registry, because
// other registries may have the same plan.
type refusedError struct {
	error
	cause string
}

// Unwrap returns the whole error, which also names the registry.
func (e refusedError) Unwrap() error { return e.error }

// Execute returns the credentials at the end of the plan. token is the pod's
// service account token. It may be zero if the plan does not start with a service
// account.
//
// If STS denies a role and the plan allows a fallback, Execute returns the node's
// own session. Its field Refusal holds the denial.
func (c Chain) Execute(ctx context.Context, p plan.Plan, token secret.Text) (Session, error) {
	if !p.AssumesRoles() {
		return c.nodeSession(ctx)
	}
	session, err := c.assumeAll(ctx, p, token)
	var refused refusedError
	if !p.NodeWhenRefused || !errors.As(err, &refused) {
		return session, err
	}
	own, err := c.nodeSession(ctx)
	if err != nil {
		return Session{}, fmt.Errorf("%[2]w; and before that, %[1]w", refused, err) // the class of the first argument counts
	}
	own.Refusal = refusal(refused.cause)
	return own, nil
}

// refusal is the text of STS's denial. If the fallback fails for another reason, the
// whole is still a refusal: a token of the role must not be used any more.
type refusal string

func (r refusal) Error() string { return string(r) }

// FailureClass returns Refused.
func (refusal) FailureClass() failure.Class { return failure.Refused }

func (c Chain) nodeSession(ctx context.Context) (Session, error) {
	session, err := c.Node.Session(ctx)
	if err != nil {
		return Session{}, fmt.Errorf("no credentials for registry %s: %w", c.Registry, err)
	}
	return session, nil
}

// assumeAll assumes the plan's roles one after another.
func (c Chain) assumeAll(ctx context.Context, p plan.Plan, token secret.Text) (session Session, err error) {
	if p.ServiceAccount == nil { // first, because the rest needs the node's credentials
		if session, err = c.nodeSession(ctx); err != nil {
			return Session{}, err
		}
	}
	s, err := c.STS(ctx, p)
	if err != nil {
		return Session{}, fmt.Errorf("assuming the roles of %s for registry %s: %w", c.Entry, c.Registry, err)
	}
	if p.ServiceAccount != nil {
		if session, err = c.assumeWithToken(ctx, s, *p.ServiceAccount, token); err != nil {
			return Session{}, err
		}
	}
	for i, role := range p.Roles {
		next, err := c.Assume(ctx, s, i, role, session)
		if err != nil {
			return Session{}, c.explain(err, i, p.Roles, session)
		}
		session = next
	}
	return session, nil
}

// STS is a region's STS, with or without FIPS.
type STS struct {
	Region registry.Region
	FIPS   bool
}

// STS says which STS assumes the plan's roles. It looks up the node's region only
// if the plan needs it.
func (c Chain) STS(ctx context.Context, p plan.Plan) (STS, error) {
	var node registry.Region
	if p.STSRegion.IsZero() {
		var err error
		if node, err = c.Node.Region(ctx); err != nil {
			return STS{}, err
		}
	}
	region, err := p.STS(node, c.API.STSHasFIPS)
	return STS{region, p.API.FIPS}, err
}

// Assume assumes one role. hop is its index among the plan's roles. The error holds
// only the cause. Assume adds neither the role nor the caller to it.
func (c Chain) Assume(ctx context.Context, s STS, hop int, role rule.Role, as Session) (Session, error) {
	parameters, err := role.Parameters(func() string { return c.Node.Name(ctx) })
	if err != nil {
		return Session{}, err
	}
	client, err := c.API.STS(s.Region, s.FIPS, as.Credentials())
	if err != nil {
		return Session{}, err
	}
	provider := stscreds.NewAssumeRoleProvider(client, parameters.ARN, func(o *stscreds.AssumeRoleOptions) {
		o.RoleSessionName = parameters.SessionName
		o.Duration = parameters.Duration
		if parameters.ExternalID != "" {
			o.ExternalID = aws.String(parameters.ExternalID)
		}
		if parameters.Policy != "" {
			o.Policy = aws.String(parameters.Policy)
		}
		for _, tag := range parameters.Tags {
			o.Tags = append(o.Tags, types.Tag{Key: aws.String(tag.Key), Value: aws.String(tag.Value)})
		}
	})
	credentials, err := awsapi.Call(ctx, c.API, fmt.Sprintf("role_%d", hop+1), provider.Retrieve)
	if err != nil {
		return Session{}, err
	}
	return c.session(credentials, parameters.ARN)
}

// session makes a session from STS's answer. It returns an error if the answer has
// no valid credentials.
func (c Chain) session(credentials aws.Credentials, roleARN string) (Session, error) {
	if !credentials.HasKeys() || credentials.SessionToken == "" || c.API.Expired(credentials.Expires) {
		return Session{}, awsapi.Unusable("STS answered without credentials that are still valid")
	}
	return NewSession(credentials, roleARN, credentials.Expires), nil
}

// explain returns the error for a role that could not be assumed. The error names
// the role, the registry and the caller, and says what to do.
func (c Chain) explain(err error, hop int, roles []rule.Role, as Session) error {
	which := ""
	if len(roles) > 1 {
		which = fmt.Sprintf(" (role %d of %d)", hop+1, len(roles))
	}
	return c.failed("assuming role "+roles[hop].ARN+which, as.Principal, err, hint(err, as, roles[hop]))
}

// failed returns an error with the failed step, the registry, the caller, the cause
// and the hint. If AWS refused, the error is a refusedError.
func (c Chain) failed(what, as string, err error, hint string) error {
	whole := fmt.Errorf("%s for registry %s as %s: %w%s", what, c.Registry, as, err, hint)
	if class, ok := failure.Of(err); ok && class == failure.Refused {
		return refusedError{whole, fmt.Sprintf("%s as %s: %v%s", what, as, err, hint)}
	}
	return whole
}

// hint returns what to do about a role that could not be assumed. STS often does not
// say why it denies a role, so the hint does not guess.
func hint(err error, as Session, role rule.Role) string {
	class, ok := failure.Of(err)
	switch {
	case !ok:
		return ""
	case class != failure.Refused:
		return after(awsapi.Hint(err, "STS"))
	}
	policy := "the policy of " + as.Principal
	if as.Ends.IsZero() {
		policy = "the node role's policy"
	}
	externalID := "it requires no external ID"
	if role.ExternalID != "" {
		externalID = "its external ID is the configuration's"
	}
	return fmt.Sprintf("; the role's trust policy and %s must both allow it; check that the role exists and that %s", policy, externalID)
}

// after returns a hint in the form that follows a message.
func after(hint string) string {
	if hint == "" {
		return ""
	}
	return "; " + hint
}
