// Package leader elects one of several replicas, which then works.
package leader

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/leaderelection"
	"k8s.io/client-go/tools/leaderelection/resourcelock"
)

// Election is an election among replicas with a lease.
type Election struct {
	Kube            kubernetes.Interface
	Namespace, Name string
	// Identity is this replica's identity.
	Identity string

	leading, following atomic.Bool
}

// These are the times of a lease. Because of jitter, the wait between two tries of a
// standby may be 2.2s long. One such wait may pass before the standby sees the last
// renewal of a killed leader, and another one after the lease has ended. So the standby
// replaces the leader within 14.4s.
const (
	duration = 10 * time.Second
	renewal  = 7 * time.Second
	retry    = time.Second
)

// Leading reports whether this replica is the leader.
func (e *Election) Leading() bool { return e.leading.Load() }

// Following reports whether another replica is the leader.
func (e *Election) Following() bool { return e.following.Load() }

// Run calls work each time that this replica becomes the leader, until the context
// ends. The context of work ends with the lease. Run waits for the end of work. Only
// then does it release the lease or become a candidate again.
func (e *Election) Run(ctx context.Context, work func(context.Context)) error {
	for ctx.Err() == nil {
		t := &term{work: work}
		elector, err := leaderelection.NewLeaderElector(e.config(ctx, t))
		if err != nil {
			return fmt.Errorf("electing a leader: %w", err)
		}
		elections, stop := context.WithCancel(context.WithoutCancel(ctx))
		unregister := context.AfterFunc(ctx, func() {
			t.end()
			stop()
		})
		elector.Run(elections)
		t.end()
		unregister()
		stop()
	}
	return nil
}

func (e *Election) config(ctx context.Context, t *term) leaderelection.LeaderElectionConfig {
	return leaderelection.LeaderElectionConfig{
		Lock: &resourcelock.LeaseLock{
			LeaseMeta:  metav1.ObjectMeta{Namespace: e.Namespace, Name: e.Name},
			Client:     e.Kube.CoordinationV1(),
			LockConfig: resourcelock.ResourceLockConfig{Identity: e.Identity},
		},
		LeaseDuration: duration, RenewDeadline: renewal, RetryPeriod: retry,
		ReleaseOnCancel: true,
		Name:            e.Name,
		Callbacks: leaderelection.LeaderCallbacks{
			OnStartedLeading: func(lease context.Context) {
				working, cancel := context.WithCancel(lease)
				defer cancel()
				defer context.AfterFunc(ctx, cancel)()
				e.leading.Store(true)
				defer e.leading.Store(false)
				t.run(working)
			},
			OnStoppedLeading: func() {},
			OnNewLeader:      func(identity string) { e.following.Store(identity != "" && identity != e.Identity) },
		},
	}
}

// term is one period as the leader. The elector starts the work in a goroutine, which
// may begin after the term's end.
type term struct {
	work func(context.Context)

	mu    sync.Mutex
	over  bool
	ended chan struct{} // nil if the work has not begun
}

// run works, unless the term has ended.
func (t *term) run(ctx context.Context) {
	t.mu.Lock()
	if t.over {
		t.mu.Unlock()
		return
	}
	t.ended = make(chan struct{})
	t.mu.Unlock()
	defer close(t.ended)
	t.work(ctx)
}

// end waits for the end of the work. The context of the work has ended or ends soon.
func (t *term) end() {
	t.mu.Lock()
	t.over = true
	ended := t.ended
	t.mu.Unlock()
	if ended != nil {
		<-ended
	}
}
