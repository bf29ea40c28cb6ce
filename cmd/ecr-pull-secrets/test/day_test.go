package test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
)

// many is the number of namespaces in the measurements.
const many = 300

// TestDay measures four hours with 300 namespaces and three registries, and computes
// the figures of a day. It measures the calls to AWS, the writes, and the traffic with
// the API server. After each renewal every namespace has the newest tokens.
func TestDay(t *testing.T) {
	t.Parallel()
	c, w := sharedCluster(t), newWorld(t)
	for i := range many {
		c.namespace(t, fmt.Sprint("day-", i), "day")
	}
	f := newFront(t, c)
	r := w.run(t, w.argumentsThrough(t, f, "day")...)
	r.metricIs(t, "writes_total", func(n float64) bool { return n >= many })
	figure(t, "AssumeRole of the start", ours, float64(w.count("AssumeRole")), 0)
	figure(t, "GetAuthorizationToken of the start", ours, float64(w.count("GetAuthorizationToken")), 0)
	figure(t, "MB of the start", ours, float64(f.bytes.Load())/1e6, 0.5)
	bytes, requests := f.bytes.Load(), f.requests.Load()
	const hours = 4
	for range hours * 6 {
		before := w.count("GetAuthorizationToken")
		if w.advance(t, 10*time.Minute); w.count("GetAuthorizationToken") > before {
			eventually(t, "all namespaces have the newest tokens", func() error { return c.allNewest(t, w, r, "day") })
		}
	}
	writes, err := r.metric(t.Context(), "writes_total")
	if err != nil {
		t.Fatal(err)
	}
	const days = 24 / hours
	figure(t, "AssumeRole", ours, days*float64(w.count("AssumeRole")-3), 0)
	figure(t, "GetAuthorizationToken", ours, days*float64(w.count("GetAuthorizationToken")-3), 0)
	figure(t, "Secrets written", ours, days*(writes-many), 0.05)
	figure(t, "requests to the API server", ours, days*float64(f.requests.Load()-requests), 0.15)
	figure(t, "MB to and from the API server", ours, days*float64(f.bytes.Load()-bytes)/1e6, 0.5)
}

// allNewest returns an error unless all namespaces have the same valid tokens, and
// these are the newest ones.
func (c *cluster) allNewest(t *testing.T, w *world, r *running, name string) error {
	t.Helper()
	list, err := c.kube.CoreV1().Secrets("").List(t.Context(), metav1.ListOptions{FieldSelector: fields.OneTermEqualSelector("metadata.name", name).String()})
	if err != nil {
		return err
	}
	if len(list.Items) != many {
		return fmt.Errorf("got %d Secrets, want %d", len(list.Items), many)
	}
	first := &list.Items[0]
	for i := range list.Items {
		if s := &list.Items[i]; !bytes.Equal(s.Data[corev1.DockerConfigJsonKey], first.Data[corev1.DockerConfigJsonKey]) {
			return fmt.Errorf("got different tokens in %s and %s, want the same", s.Namespace, first.Namespace)
		}
	}
	var ends map[string]time.Time
	if err := json.Unmarshal([]byte(first.Annotations["ecr-pull-secrets/registries"]), &ends); err != nil {
		return err
	}
	for host, end := range ends {
		left, err := r.metric(t.Context(), fmt.Sprintf("token_expiry_seconds{registry=%q}", host))
		if err != nil {
			return err
		}
		if newest := w.clock.Now().Add(time.Duration(left * float64(time.Second))); newest.Sub(end).Abs() > time.Second {
			return fmt.Errorf("%s: got a token until %s, want the newest one until %s", host, end, newest)
		}
	}
	return w.holdsAll(first)
}
