package doctor

import (
	"errors"
	"strings"
	"testing"

	"ecr-cross-account-credential-provider/pkg/diagnosis"
	"ecr-cross-account-credential-provider/pkg/iampolicy"
	"ecr-cross-account-credential-provider/pkg/identity"
	"ecr-cross-account-credential-provider/pkg/plan"
	"ecr-cross-account-credential-provider/pkg/providerconfig"
	"ecr-cross-account-credential-provider/pkg/rule"
)

// TestExplicitDeny: no further Allow helps against a Deny, so doctor prints no statement.
func TestExplicitDeny(t *testing.T) {
	t.Parallel()
	const role = "arn:aws:iam::444455556666:role/ecr-pull"
	e := &examination{}
	r := request{owner: "444455556666", target: role, byOwner: missingStatement(trustPolicy, role, iampolicy.Token())}
	for _, explicit := range []bool{false, true} {
		f := e.refused(errors.New("AccessDenied"), denial{policy: resourceBased, explicit: explicit}, r)
		if (f.Cause.Missing == nil) != explicit {
			t.Errorf("explicit %t: got the statement %+v", explicit, f.Cause.Missing)
		}
	}
}

// TestServiceAccountRefused: a service account has no policies of its own, so no hint
// leads to one. All hints name who must act.
func TestServiceAccountRefused(t *testing.T) {
	t.Parallel()
	const (
		subject = "system:serviceaccount:team-a:app"
		guess   = "STS gives no reason. The cause is most likely in account 444455556666"
	)
	start := plan.ServiceAccount{Claims: plan.Claims{Subject: subject}}
	start.Role.ARN = "arn:aws:iam::444455556666:role/ecr-pull"
	for policy, want := range map[string]string{
		"":                        guess,
		"identity-based policy":   guess,
		"permissions boundary":    guess,
		"session policy":          guess,
		"service control policy":  guess,
		"resource-based policy":   "the owner of account 444455556666 must add the statement to the policy of arn:aws:iam::444455556666:role/ecr-pull",
		"resource control policy": "a resource control policy of the organization of account 444455556666 must admit " + subject,
		"VPC endpoint policy":     "add the statement to the policy of the VPC endpoint",
	} {
		e := &examination{}
		f := e.notExchanged(refusal("AccessDenied: Not authorized to perform sts:AssumeRoleWithWebIdentity because no "+policy+" allows it"), start)
		if !strings.HasPrefix(f.Hint, want) {
			t.Errorf("%s: got the hint %q, want %q", policy, f.Hint, want)
		}
	}
}

// TestSideOfUnknownAccount: an account that no message names is not the nodes' account,
// even if the nodes' account is unknown, too.
func TestSideOfUnknownAccount(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		caller, account string
		want            diagnosis.Side
	}{
		{"", "", diagnosis.ImagesAccount},
		{"111122223333", "", diagnosis.ImagesAccount},
		{"111122223333", "444455556666", diagnosis.ImagesAccount},
		{"111122223333", "111122223333", diagnosis.NodesAccount},
	} {
		e := &examination{}
		e.aws.caller = identity.Caller{Account: test.caller}
		if got := e.sideOf(test.account); got != test.want {
			t.Errorf("nodes in %q, account %q: got %s, want %s", test.caller, test.account, got, test.want)
		}
	}
}

// TestTokensForFixedRole: an entry with a roleARN needs no annotation.
func TestTokensForFixedRole(t *testing.T) {
	t.Parallel()
	e := &examination{}
	e.kubelet.plugins = []providerconfig.Provider{{Name: providerconfig.PluginName, TokenAttributes: &providerconfig.TokenAttributes{}}}
	for _, test := range []struct {
		role *rule.RoleTemplate
		want diagnosis.Result
	}{{nil, diagnosis.Failed}, {&rule.RoleTemplate{}, diagnosis.OK}} {
		account := &rule.ServiceAccount{RoleAnnotation: "example.com/role", RoleARN: test.role}
		if f := e.tokensFor([]rule.Entry{{Name: "registries[0]", ServiceAccount: account}}); f.Result != test.want {
			t.Errorf("roleARN %t: got %s (%s), want %s", test.role != nil, f.Result, f.Detail, test.want)
		}
	}
}
