package doctor

import (
	"errors"
	"testing"

	"ecr-cross-account-credential-provider/pkg/diagnosis"
	"ecr-cross-account-credential-provider/pkg/iampolicy"
	"ecr-cross-account-credential-provider/pkg/identity"
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
	e.kubelet.config.Providers = []providerconfig.Provider{{Name: providerconfig.PluginName, TokenAttributes: &providerconfig.TokenAttributes{}}}
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
