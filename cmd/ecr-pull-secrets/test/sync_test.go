package test

import (
	"fmt"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
)

// TestSync: 300 namespaces and three registries need three roles and three tokens. A
// new namespace gets its Secret at once.
func TestSync(t *testing.T) {
	t.Parallel()
	c, w := sharedCluster(t), newWorld(t)
	for i := range many {
		c.namespace(t, fmt.Sprint("sync-", i), "sync")
	}
	began := time.Now()
	r := w.run(t, "--config="+w.config(t, threeRegistries()), "--kubeconfig="+c.kubeconfig(t, adminToken, "default"),
		"--namespace-selector=team=sync", "--secret-name=sync", "--leader-elect=false", "--listen=127.0.0.1:0")
	r.metricIs(t, "syncs_total", func(n float64) bool { return n >= 1 })
	t.Logf("a full sync of %d namespaces took %s, on a machine that does other things too", many, time.Since(began).Round(10*time.Millisecond))
	list, err := c.kube.CoreV1().Secrets("").List(t.Context(), metav1.ListOptions{FieldSelector: fields.OneTermEqualSelector("metadata.name", "sync").String()})
	if err != nil || len(list.Items) != many {
		t.Fatalf("got %d Secrets, error %v; want one for each namespace", len(list.Items), err)
	}
	for i := range list.Items {
		if err := w.holdsAll(&list.Items[i]); err != nil {
			t.Fatalf("%s: %v", list.Items[i].Namespace, err)
		}
	}
	if roles, tokens := w.count("AssumeRole"), w.count("GetAuthorizationToken"); roles != 3 || tokens != 3 {
		t.Errorf("got requests for %d roles and %d tokens, want 3 and 3", roles, tokens)
	}
	if status, _, err := r.get(t.Context(), "/readyz"); status != 200 || err != nil {
		t.Errorf("readyz: got %d, error %v; want 200", status, err)
	}
	c.namespace(t, "sync-new", "sync")
	c.has(t, "sync-new", "sync", w.holdsAll)
	if tokens := w.count("GetAuthorizationToken"); tokens != 3 {
		t.Errorf("got %d tokens for the new namespace, want none", tokens-3)
	}
	r.metricIs(t, `token_expiry_seconds{registry="`+hostOf(accounts[0])+`"}`, func(s float64) bool { return s > 11.9*3600 && s <= 12*3600 })
	r.metricIs(t, "writes_total", func(n float64) bool { return n == many+1 })
}
