package leader

import (
	"context"
	"testing"
	"time"

	"k8s.io/client-go/kubernetes/fake"
	"k8s.io/client-go/tools/leaderelection"
)

// TestTimes: if a leader is killed, another one replaces it within 15s.
func TestTimes(t *testing.T) {
	t.Parallel()
	const pause = retry + time.Duration(float64(retry)*leaderelection.JitterFactor) // the longest one between two tries
	if longest := pause + duration + pause; longest > 15*time.Second {
		t.Errorf("got up to %s, want 15s", longest)
	}
	if renewal >= duration || pause >= renewal {
		t.Error("got a lease that ends before it can be renewed")
	}
}

// TestTerm: the lease is released only after the work has ended. Then the next replica
// works.
func TestTerm(t *testing.T) {
	t.Parallel()
	kube := fake.NewClientset()
	first := &Election{Kube: kube, Namespace: "ns", Name: "lease", Identity: "first"}
	second := &Election{Kube: kube, Namespace: "ns", Name: "lease", Identity: "second"}
	ctx, cancel := context.WithCancel(t.Context())
	working, finish, ended := make(chan struct{}), make(chan struct{}), make(chan error, 2)
	go func() {
		ended <- first.Run(ctx, func(ctx context.Context) {
			close(working)
			<-ctx.Done()
			<-finish
		})
	}()
	<-working
	if !first.Leading() || first.Following() {
		t.Error("the first replica: got no leader, want the leader")
	}
	ctx2, cancel2 := context.WithCancel(t.Context())
	took := make(chan bool)
	go func() {
		ended <- second.Run(ctx2, func(ctx context.Context) {
			took <- first.Leading()
			<-ctx.Done()
		})
	}()
	cancel()
	close(finish)
	if <-took {
		t.Error("got two replicas at work, want one")
	}
	cancel2()
	for range 2 {
		if err := <-ended; err != nil {
			t.Error(err)
		}
	}
	if first.Leading() || second.Leading() {
		t.Error("got a leader after the end, want none")
	}
}

// TestLate: work that would begin after the term's end does not run.
func TestLate(t *testing.T) {
	t.Parallel()
	term := &term{work: func(context.Context) { t.Error("got a run, want none") }}
	term.end()
	term.run(t.Context())
}
