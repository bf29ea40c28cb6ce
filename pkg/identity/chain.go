package identity

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials/stscreds"
	"github.com/aws/aws-sdk-go-v2/service/sts/types"

	"ecr-cross-account-credential-provider/pkg/awsapi"
	"ecr-cross-account-credential-provider/pkg/record"
	"ecr-cross-account-credential-provider/pkg/registry"
	"ecr-cross-account-credential-provider/pkg/rule"
)

// Chain is the roles that lead to a registry: the first is assumed by whoever
// starts, each other one by the one before it.
type Chain struct {
	API      *awsapi.API
	Registry registry.Registry
	// Region is where STS is asked. Credentials are valid everywhere, so this is
	// a matter of what the node can reach.
	Region registry.Region
	Roles  []rule.Role
}

// RefusedError is a role that STS denies to whoever asked for it.
type RefusedError struct{ error }

// Unwrap is the error with its cause.
func (e RefusedError) Unwrap() error { return e.error }

// Walk assumes the roles one by the other, starting as somebody.
func (c Chain) Walk(ctx context.Context, start Session) (Session, error) {
	session := start
	for i, role := range c.Roles {
		end := record.Step(ctx, fmt.Sprintf("role_%d", i+1))
		next, err := c.assume(ctx, role, session)
		end()
		if err != nil {
			return Session{}, c.explain(err, i, session)
		}
		session = next
	}
	return session, nil
}

func (c Chain) assume(ctx context.Context, role rule.Role, as Session) (Session, error) {
	client, err := c.API.STS(c.Region, c.Registry.FIPS(), as.Credentials())
	if err != nil {
		return Session{}, err
	}
	provider := stscreds.NewAssumeRoleProvider(client, role.ARN, func(o *stscreds.AssumeRoleOptions) {
		o.RoleSessionName = role.SessionName
		o.Duration = role.Duration
		if role.ExternalID != "" {
			o.ExternalID = aws.String(role.ExternalID)
		}
		if role.Policy != "" {
			o.Policy = aws.String(role.Policy)
		}
		for _, tag := range role.Tags {
			o.Tags = append(o.Tags, types.Tag{Key: aws.String(tag.Key), Value: aws.String(tag.Value)})
		}
	})
	credentials, err := awsapi.Call(ctx, c.API, provider.Retrieve)
	if err != nil {
		return Session{}, err
	}
	return c.session(credentials, role.ARN)
}

// session is a role's credentials, once they are seen to be some.
func (c Chain) session(credentials aws.Credentials, roleARN string) (Session, error) {
	if !credentials.HasKeys() || credentials.SessionToken == "" || !credentials.Expires.After(c.API.Now()) {
		return Session{}, awsapi.Unusable("STS answered without credentials that are still valid")
	}
	return NewSession(credentials, roleARN, credentials.Expires), nil
}

// explain says which role could not be assumed, by whom and for what, and what
// to do about it.
func (c Chain) explain(err error, hop int, as Session) error {
	which := ""
	if len(c.Roles) > 1 {
		which = fmt.Sprintf(" (role %d of %d)", hop+1, len(c.Roles))
	}
	explained := fmt.Errorf("assuming role %s%s for registry %s as %s: %w%s",
		c.Roles[hop].ARN, which, c.Registry, as, err, hint(err, as, c.Roles[hop]))
	if class, ok := awsapi.ClassOf(err); ok && class == awsapi.Refused {
		return RefusedError{explained}
	}
	return explained
}

// hint says what to do. STS does not tell why it denies a role, and neither
// does this.
func hint(err error, as Session, role rule.Role) string {
	if awsapi.NoAnswer(err) {
		return "; the node must reach STS there: by the internet, or an interface endpoint for STS"
	}
	if class, _ := awsapi.ClassOf(err); class != awsapi.Refused {
		return "" // AWS's own words say what is wrong
	}
	policy := "the policy of " + as.Principal
	if as.Ends.IsZero() {
		policy = "the node role's policy"
	}
	externalID := "it asks for no external ID"
	if role.ExternalID != "" {
		externalID = "its external ID is the configuration's"
	}
	return fmt.Sprintf("; the role's trust policy and %s must both allow it; check that the role exists and that %s", policy, externalID)
}
