package doctor

import (
	"context"
	"fmt"
	"time"

	"ecr-cross-account-credential-provider/pkg/diagnosis"
	"ecr-cross-account-credential-provider/pkg/failure"
	"ecr-cross-account-credential-provider/pkg/iampolicy"
	"ecr-cross-account-credential-provider/pkg/identity"
	"ecr-cross-account-credential-provider/pkg/rule"
)

// assumed assumes the roles of a plan, one after another. It returns the check on
// which the token depends.
func (e *examination) assumed(ctx context.Context, s *subject) *diagnosis.Check {
	n := e.network.needs[s]
	chain := identity.Chain{API: e.aws.api, Node: e.aws.node, Registry: s.registry.String(), Entry: s.entry.Name}
	last := e.started(ctx, s, chain)
	for i, role := range s.plan.Roles {
		caller := e.callerOf(s, i)
		before := s.session
		last = e.do(ctx, &diagnosis.Check{
			Kind: assumeRole, Subject: role.ARN, Image: s.name, Needs: []*diagnosis.Check{last, n.checks[toSTS]},
			Run: func(ctx context.Context) diagnosis.Finding {
				ctx, cancel := context.WithTimeout(ctx, e.Limits.Call)
				defer cancel()
				next, err := chain.Assume(ctx, n.sts, i, role, before)
				if err != nil {
					return e.fallback(ctx, s, e.notAssumed(err, role, caller), err)
				}
				s.session = next
				return diagnosis.Fine(describeSession(next, e.Process.Now()))
			},
		})
		if last.Result == diagnosis.Warning {
			return last // the chain continues as the node
		}
		e.probeExternalID(ctx, chain, n.sts, i, role, before, caller, last)
	}
	return last
}

// started sets the session with which the chain starts: the node's, or that of the
// pod's service account.
func (e *examination) started(ctx context.Context, s *subject, chain identity.Chain) *diagnosis.Check {
	if s.plan.ServiceAccount == nil {
		if e.credentials.Result != diagnosis.Failed && e.credentials.Result != diagnosis.Skipped {
			s.session, _ = e.aws.node.Session(ctx) // known already
		}
		return e.credentials
	}
	n, start := e.network.needs[s], *s.plan.ServiceAccount
	return e.do(ctx, &diagnosis.Check{
		Kind: assumeRole, Subject: start.Role.ARN + " as service account " + start.Claims.Name(), Image: s.name,
		Needs: []*diagnosis.Check{e.settings, s.planned, n.checks[toSTS]},
		Run: func(ctx context.Context) diagnosis.Finding {
			ctx, cancel := context.WithTimeout(ctx, e.Limits.Call)
			defer cancel()
			next, err := chain.Exchange(ctx, n.sts, start, e.Pod.Token)
			if err != nil {
				return e.notExchanged(err, start)
			}
			s.session = next
			return diagnosis.Fine(describeSession(next, e.Process.Now()))
		},
	})
}

func describeSession(s identity.Session, now time.Time) string {
	return "a session of " + rule.ShortDuration(s.Ends.Sub(now).Round(time.Minute))
}

// fallback turns a refusal into a warning if the node's identity replaces the role.
func (e *examination) fallback(ctx context.Context, s *subject, f diagnosis.Finding, err error) diagnosis.Finding {
	if class, ok := failure.Of(err); !s.plan.NodeWhenRefused || !ok || class != failure.Refused || e.credentials.Result != diagnosis.OK {
		return f
	}
	own, nodeErr := e.aws.node.Session(ctx) // known already
	if nodeErr != nil {
		return f
	}
	s.session = own
	return diagnosis.Warn(f.Detail+"; the chain continues with the node's identity, as whenRefused of "+s.entry.Name+" says", f.Hint)
}

// probeExternalID tests whether the role's trust policy requires the external ID.
func (e *examination) probeExternalID(ctx context.Context, chain identity.Chain, sts identity.STS, hop int, role rule.Role, as identity.Session, caller string, assumed *diagnosis.Check) {
	if !e.ProbeExternalID || role.ExternalID == "" {
		return
	}
	without := role
	without.ExternalID = ""
	e.do(ctx, &diagnosis.Check{
		Kind: probeExternalIDKind, Subject: role.ARN, Image: assumed.Image, Needs: []*diagnosis.Check{assumed},
		Run: func(ctx context.Context) diagnosis.Finding {
			ctx, cancel := context.WithTimeout(ctx, e.Limits.Call)
			defer cancel()
			_, err := chain.Assume(ctx, sts, hop, without, as)
			class, _ := failure.Of(err)
			switch {
			case err == nil:
				f := diagnosis.Warn("it succeeds, so the role's trust policy does not require the external ID",
					"the owner of account "+accountOf(role.ARN)+" must add the condition on sts:ExternalId to the trust policy")
				f.Cause = diagnosis.Cause{
					Side: diagnosis.ImagesAccount, Account: accountOf(role.ARN),
					Missing: missingStatement(trustPolicy, role.ARN, iampolicy.TrustRole(caller, role)),
				}
				return f
			case class == failure.Refused:
				return diagnosis.Fine("refused, as it should be; the role's CloudTrail shows this denied call")
			}
			return diagnosis.Skip(fmt.Sprintf("no answer: %s", cause(err)))
		},
	})
}

// callerOf returns the ARN of the role that assumes the plan's role number i. It is
// empty if that is not known.
func (e *examination) callerOf(s *subject, i int) string {
	switch {
	case i > 0:
		return s.plan.Roles[i-1].ARN
	case s.plan.ServiceAccount != nil:
		return s.plan.ServiceAccount.Role.ARN
	}
	return iampolicy.RoleOfSession(e.aws.caller.ARN)
}
