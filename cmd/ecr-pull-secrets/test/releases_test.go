package test

import (
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"ecr-cross-account-credential-provider/cmd/ecr-pull-secrets/internal/controller"
)

// TestReleases: two releases in one namespace both work, because each has its own Lease.
func TestReleases(t *testing.T) {
	t.Parallel()
	c, w := sharedCluster(t), newWorld(t)
	c.namespace(t, "releases", "")
	for _, name := range []string{"releases-1", "releases-2"} {
		c.namespace(t, name, name)
		w.run(t, "--config="+w.config(t, threeRegistries()), "--kubeconfig="+c.kubeconfig(t, adminToken, "releases"),
			"--namespace-selector=team="+name, "--secret-name="+name, "--lease="+name, "--listen=127.0.0.1:0")
	}
	for _, name := range []string{"releases-1", "releases-2"} {
		c.has(t, name, name, w.holdsAll)
	}
}

// TestOwners: two releases with the same secretName leave each other's Secrets and service
// accounts unchanged. If they select the same namespace, the second one reports it.
func TestOwners(t *testing.T) {
	t.Parallel()
	c, w := sharedCluster(t), newWorld(t)
	c.namespace(t, "owners-1", "owners-1")
	c.namespace(t, "owners-2", "owners-2")
	asks := &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Name: "app", Annotations: map[string]string{controller.Attach: "true"}}}
	if _, err := c.kube.CoreV1().ServiceAccounts("owners-1").Create(t.Context(), asks, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	release := func(name, team string) *running {
		return w.run(t, append(w.arguments(t, c, "owners"), "--lease="+name, "--namespace-selector=team="+team)...)
	}
	release("first", "owners-1")
	before, account := c.has(t, "owners-1", "owners", w.holdsAll), c.names(t, "owners-1", "app", "owners")
	second := release("second", "owners-2")
	c.has(t, "owners-2", "owners", w.holdsAll)
	second.metricIs(t, "syncs_total", func(n float64) bool { return n >= 1 })
	second.metricIs(t, "foreign_secrets", func(n float64) bool { return n == 0 })
	third := release("third", "owners-1")
	third.metricIs(t, "foreign_secrets", func(n float64) bool { return n == 1 })
	third.metricIs(t, "syncs_total", func(n float64) bool { return n >= 1 })
	events, err := c.kube.CoreV1().Events("owners-1").List(t.Context(), metav1.ListOptions{})
	if err != nil || len(events.Items) != 1 || !strings.Contains(events.Items[0].Message, "remove the annotation") {
		t.Errorf("got the Events %v, error %v; want one that says how to move the Secret", events.Items, err)
	}
	after, err := c.secret(t.Context(), "owners-1", "owners")
	if err != nil || after.UID != before.UID || after.ResourceVersion != before.ResourceVersion {
		t.Errorf("got a changed Secret or error %v, want it unchanged", err)
	}
	if now := c.names(t, "owners-1", "app", "owners"); now.ResourceVersion != account.ResourceVersion {
		t.Error("got a changed service account, want it unchanged")
	}
}
