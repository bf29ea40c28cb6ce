package doctor

import (
	"errors"
	"strings"

	"github.com/aws/smithy-go"

	"ecr-cross-account-credential-provider/pkg/diagnosis"
	"ecr-cross-account-credential-provider/pkg/failure"
	"ecr-cross-account-credential-provider/pkg/iampolicy"
	"ecr-cross-account-credential-provider/pkg/identity"
	"ecr-cross-account-credential-provider/pkg/plan"
	"ecr-cross-account-credential-provider/pkg/rule"
)

// These are the kinds of policies, as `iam` names them.
const (
	trustPolicy       = "trust-policy"
	permissionsPolicy = "permissions-policy"
	nodePolicy        = "node-policy"
	endpointPolicy    = "endpoint-policy"
	repositoryPolicy  = "repository-policy"
)

// notAssumed finds the side and the hint for a failed AssumeRole. caller is the ARN of
// the caller's role, or empty if only STS's message names it.
func (e *examination) notAssumed(err error, role rule.Role, caller string) diagnosis.Finding {
	if class, ok := failure.Of(err); !ok || class != failure.Refused {
		return unanswered(err, "STS")
	}
	d, _ := parseDenial(cause(err))
	caller = e.callersRole(caller, d)
	return e.refused(err, d, request{
		caller: caller, owner: accountOf(role.ARN), target: role.ARN,
		byCaller:   missingStatement(e.callersPolicy(caller), caller, iampolicy.AssumeRole(role)),
		byOwner:    missingStatement(trustPolicy, role.ARN, iampolicy.TrustRole(caller, role)),
		byEndpoint: missingStatement(endpointPolicy, "the STS endpoint of the nodes' VPC", iampolicy.PassAssumeRole(caller, role)),
		unexplained: "STS gives no reason. The cause is most likely in account " + accountOf(role.ARN) + ": check that the role exists, that its trust policy admits " +
			caller + externalIDToo(role) + "; then check that the policy of " + caller + " allows sts:AssumeRole on it",
	})
}

// callersRole returns the ARN of the caller's role. If role is empty, the node's own
// identity made the call, and only the denial names it. callersRole then keeps its name.
func (e *examination) callersRole(role string, d denial) string {
	if role != "" || d.user == "" {
		return role
	}
	e.aws.caller = identity.Caller{Account: accountOf(d.user), ARN: d.user}
	return iampolicy.RoleOfSession(d.user)
}

func externalIDToo(role rule.Role) string {
	if role.ExternalID == "" {
		return " and requires no external ID"
	}
	return " with the external ID of the configuration"
}

// missingStatement returns a missing statement. It has no Sid, because the policy may
// already contain a statement with that Sid.
func missingStatement(kind, attachTo string, s iampolicy.Statement) *diagnosis.Missing {
	s.Sid = ""
	return &diagnosis.Missing{Kind: kind, AttachTo: attachTo, Statement: s}
}

// request is a denied request: the caller and the target, and the statement that
// would allow it on each side.
type request struct {
	caller, owner, target string

	byCaller, byOwner, byEndpoint *diagnosis.Missing
	// unexplained is the hint for a denial without a reason.
	unexplained string
}

// refused finds the side and the hint for a denial, by the type of policy that AWS
// names. It never claims more than AWS says.
func (e *examination) refused(err error, d denial, r request) diagnosis.Finding {
	callers := accountOf(r.caller)
	f := diagnosis.Fail(diagnosis.Unknown, cause(err), "")
	onSide := func(side diagnosis.Side, account, hint string, missing *diagnosis.Missing) {
		f.Cause, f.Hint = diagnosis.Cause{Side: side, Account: account}, hint
		if d.explicit {
			f.Hint = "a statement with Deny in that policy matches; no further Allow helps"
		} else if missing != nil {
			f.Cause.Missing = missing
		}
	}
	switch d.policy {
	case identityBased:
		onSide(e.sideOf(callers), callers, "add the statement to the policy of "+r.caller, r.byCaller)
	case resourceBased:
		onSide(e.sideOf(r.owner), r.owner, "the owner of account "+r.owner+" must add the statement to the policy of "+r.target, r.byOwner)
	case boundary:
		onSide(e.sideOf(callers), callers, "the permissions boundary of "+r.caller+" must allow "+d.action+" too", nil)
	case session:
		onSide(diagnosis.Node, callers, "the session policy comes from the entry's policy and repositories; correct them", nil)
	case serviceSCP:
		onSide(e.sideOf(callers), callers, "a service control policy of the organization of account "+callers+" must allow "+d.action+" on account "+r.owner, nil)
	case resourceRCP:
		onSide(e.sideOf(r.owner), r.owner, "a resource control policy of the organization of account "+r.owner+" must admit "+r.caller, nil)
	case endpoint:
		onSide(diagnosis.Endpoint, callers, "add the statement to the policy of the VPC endpoint", r.byEndpoint)
	default:
		f.Hint, f.Cause.Account, f.Cause.Missing = r.unexplained, r.owner, r.byOwner
	}
	return f
}

// sideOf returns the side of an account, as seen from the nodes.
func (e *examination) sideOf(account string) diagnosis.Side {
	if account != "" && account == e.aws.caller.Account {
		return diagnosis.NodesAccount
	}
	return diagnosis.ImagesAccount
}

// callersPolicy returns the kind of policy of a caller.
func (e *examination) callersPolicy(caller string) string {
	if e.sideOf(accountOf(caller)) == diagnosis.NodesAccount {
		return nodePolicy
	}
	return permissionsPolicy
}

// notExchanged finds the side and the hint for a failed AssumeRoleWithWebIdentity.
func (e *examination) notExchanged(err error, start plan.ServiceAccount) diagnosis.Finding {
	owner, claims := accountOf(start.Role.ARN), start.Claims
	trust := missingStatement(trustPolicy, start.Role.ARN, iampolicy.TrustServiceAccount(claims, start.Role))
	switch class, ok := failure.Of(err); {
	case ok && class == failure.Refused:
		d, _ := parseDenial(cause(err))
		switch d.policy {
		case identityBased, boundary, session, serviceSCP:
			d.policy = "" // a service account has none of these
		}
		return e.refused(err, d, request{
			caller: claims.Subject, owner: owner, target: start.Role.ARN, byOwner: trust,
			byEndpoint: missingStatement(endpointPolicy, "the STS endpoint of the nodes' VPC", iampolicy.PassServiceAccount(start.Role)),
			unexplained: "STS gives no reason. The cause is most likely in account " + owner + ": the role's trust policy must name the OIDC provider of " + claims.Issuer +
				", the subject " + claims.Subject + " and the audience; then check the policy of the STS endpoint, which needs a statement of its own for this call",
		})
	case !ok || class != failure.CallersToken:
		return unanswered(err, "STS")
	}
	f := diagnosis.Fail(diagnosis.ImagesAccount, cause(err), "create an IAM OIDC provider for "+claims.Issuer+" in account "+owner)
	f.Cause.Account = owner
	api, _ := errors.AsType[smithy.APIError](err)
	switch text := strings.ToLower(cause(err)); {
	case api != nil && strings.HasPrefix(api.ErrorCode(), "ExpiredToken"):
		f.Hint, f.Cause = "the token has expired; give a new one to --token-file, such as that of: kubectl create token", diagnosis.Cause{Side: diagnosis.Node}
	case strings.Contains(text, "audience"):
		f.Hint, f.Cause = "serviceAccountTokenAudience of the provider's tokenAttributes must be an audience of the OIDC provider of account "+owner,
			diagnosis.Cause{Side: diagnosis.Unknown, Account: owner}
	}
	return f
}

// notAuthorized finds the side and the hint for a failed GetAuthorizationToken.
// role is the ARN of the caller's role, or empty if only ECR's message names it.
func (e *examination) notAuthorized(err error, role string) diagnosis.Finding {
	if class, ok := failure.Of(err); !ok || class != failure.Refused {
		return unanswered(err, "the ECR API")
	}
	d, _ := parseDenial(cause(err))
	role = e.callersRole(role, d)
	allow := missingStatement(e.callersPolicy(role), role, iampolicy.Token())
	return e.refused(err, d, request{
		caller: role, owner: accountOf(role), target: role, byCaller: allow, byOwner: allow,
		byEndpoint:  missingStatement(endpointPolicy, "the ecr.api endpoint of the nodes' VPC", iampolicy.PassToken(role)),
		unexplained: "allow ecr:GetAuthorizationToken on * to " + role,
	})
}
