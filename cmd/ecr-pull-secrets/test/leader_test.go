package test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// TestLeader: one of two replicas works. When it is killed, the other one replaces it.
// No Secret is ever without a token.
func TestLeader(t *testing.T) {
	t.Parallel()
	c, w := sharedCluster(t), newWorld(t)
	c.namespace(t, "lease", "")
	c.namespace(t, "leader", "leader")
	first := w.replica(t, c, "first")
	c.has(t, "leader", "leader", w.holdsAll)
	holder := c.holder(t, func(string) bool { return true })
	second := w.replica(t, c, "second")
	versions := c.watchSecret(t, "leader", "leader")
	killed := time.Now()
	if err := first.cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	<-first.ended
	c.holder(t, func(now string) bool { return now != holder && now != "" })
	t.Logf("the second replica took over after %s", time.Since(killed).Round(time.Second))
	tokens := w.count("GetAuthorizationToken")
	eventually(t, "the second replica has written", func() error { return second.orEnded(versions.atLeast(2)) })
	if tokens > 6 {
		t.Errorf("got %d tokens, want at most 3 for each replica", tokens)
	}
	for _, s := range versions.all() {
		if err := w.holdsAll(s); err != nil {
			t.Errorf("resource version %s: got %v, want valid tokens", s.ResourceVersion, err)
		}
	}
	lease, err := c.kube.CoordinationV1().Leases("lease").Get(t.Context(), "ecr-pull-secrets", metav1.GetOptions{})
	if err != nil || *lease.Spec.LeaseDurationSeconds > 10 {
		t.Errorf("got a lease of %d s, error %v; want at most 10 s", *lease.Spec.LeaseDurationSeconds, err)
	}
}

// replica starts a controller in a separate process.
func (w *world) replica(t *testing.T, c *cluster, name string) *program {
	t.Helper()
	return child(t, name, nil, "--config="+w.config(t, threeRegistries()), "--kubeconfig="+c.kubeconfig(t, adminToken, "lease"),
		"--namespace-selector=team=leader", "--secret-name=leader", "--listen=127.0.0.1:0")
}

// child starts a controller in a separate process with the machine's clock.
func child(t *testing.T, name string, environ []string, args ...string) *program {
	t.Helper()
	log := filepath.Join(t.TempDir(), name)
	ctx, cancel := context.WithCancel(context.Background())
	p, err := startWith(ctx, append(append(os.Environ(), asProgram+"=1"), environ...), log, "/proc/self/exe", args...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cancel()
		<-p.ended
		if text, _ := os.ReadFile(log); t.Failed() {
			t.Logf("%s:\n%s", name, text)
		}
	})
	return p
}

// holder waits until the lease has a wanted holder, and returns it.
func (c *cluster) holder(t *testing.T, wanted func(string) bool) (holder string) {
	t.Helper()
	eventually(t, "the lease has the right holder", func() error {
		lease, err := c.kube.CoordinationV1().Leases("lease").Get(t.Context(), "ecr-pull-secrets", metav1.GetOptions{})
		if err != nil {
			return err
		}
		if lease.Spec.HolderIdentity == nil || !wanted(*lease.Spec.HolderIdentity) {
			return errors.New("it has not")
		}
		holder = *lease.Spec.HolderIdentity
		return nil
	})
	return holder
}

// versions are all versions of a Secret since the watch began.
type versions struct {
	mu   sync.Mutex
	seen []*corev1.Secret
}

func (v *versions) all() []*corev1.Secret {
	v.mu.Lock()
	defer v.mu.Unlock()
	return append([]*corev1.Secret(nil), v.seen...)
}

func (v *versions) atLeast(n int) error {
	if got := len(v.all()); got < n {
		return fmt.Errorf("%d versions, want %d", got, n)
	}
	return nil
}

func (c *cluster) watchSecret(t *testing.T, namespace, name string) *versions {
	t.Helper()
	watcher, err := c.kube.CoreV1().Secrets(namespace).Watch(t.Context(), metav1.ListOptions{FieldSelector: "metadata.name=" + name})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(watcher.Stop)
	v := &versions{}
	go func() {
		for event := range watcher.ResultChan() {
			if s, ok := event.Object.(*corev1.Secret); ok {
				v.mu.Lock()
				v.seen = append(v.seen, s)
				v.mu.Unlock()
			}
		}
	}()
	return v
}
