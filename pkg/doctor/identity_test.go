package doctor

import (
	"errors"
	"testing"

	"ecr-cross-account-credential-provider/pkg/plan"
)

// TestNeedsNode: the node's identity is also needed if a plan depends on its account.
func TestNeedsNode(t *testing.T) {
	t.Parallel()
	ofPod := &subject{plan: plan.Plan{ServiceAccount: &plan.ServiceAccount{}}}
	for _, test := range []struct {
		subjects []*subject
		ownErr   error
		want     bool
	}{
		{nil, nil, true},
		{[]*subject{{}}, nil, true},
		{[]*subject{ofPod}, nil, false},
		{[]*subject{ofPod}, errors.New("no credentials"), true},
	} {
		e := &examination{subjects: test.subjects, aws: awsState{ownErr: test.ownErr}}
		if got := e.needsNode(); got != test.want {
			t.Errorf("%d subjects, error %v: got %t, want %t", len(test.subjects), test.ownErr, got, test.want)
		}
	}
}
