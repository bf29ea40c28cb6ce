package doctor

import (
	"testing"

	"ecr-cross-account-credential-provider/pkg/plan"
	"ecr-cross-account-credential-provider/pkg/rule"
)

// TestDescribePlan: the role that requests the token comes first, and the role that the
// chain starts with comes last.
func TestDescribePlan(t *testing.T) {
	t.Parallel()
	pod := &plan.ServiceAccount{Role: rule.Role{ARN: "pod"}}
	for want, p := range map[string]plan.Plan{
		"the token is the node's own":                               {},
		"the token is that of hub":                                  {Roles: []rule.Role{{ARN: "hub"}}},
		"the token is that of last, assumed by hub, assumed by pod": {ServiceAccount: pod, Roles: []rule.Role{{ARN: "hub"}, {ARN: "last"}}},
	} {
		if got := describePlan(p); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}
