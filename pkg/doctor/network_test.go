package doctor

import (
	"context"
	"testing"

	"ecr-cross-account-credential-provider/pkg/diagnosis"
)

// TestReachWithoutAnswer: the check of a host also has a result if no time is left before
// the host answers.
func TestReachWithoutAnswer(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for l := range legs {
		silent := &probe{done: make(chan struct{})}
		f := (&examination{}).reach(l, silent, false).Run(ctx)
		if f.Result != diagnosis.Failed || f.Detail != context.Canceled.Error() {
			t.Errorf("%s: got %s (%s), want a failure without an answer", legKinds[l].kind.Title, f.Result, f.Detail)
		}
	}
}
