package test

import (
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// TestSilence: watches that stay open without events do harm for ten minutes at most.
// The same holds for a list that never completes.
func TestSilence(t *testing.T) {
	t.Parallel()
	c, w := sharedCluster(t), newWorld(t)
	f := newFront(t, c)
	c.namespace(t, "silence", "silence")
	w.run(t, w.argumentsThrough(t, f, "silence")...)
	c.has(t, "silence", "silence", w.holdsAll)
	f.silenceThese()
	c.changeUnseen(t, f, "silence-1")
	if _, err := c.secret(t.Context(), "silence-1", "silence"); err == nil {
		t.Error("got a new Secret through a watch that is not silent, want none")
	}
	w.advance(t, 10*time.Minute)
	c.has(t, "silence", "silence", w.holdsAll)
	c.has(t, "silence-1", "silence", w.holdsAll)

	f.silenceAll()
	before := f.watches.Load()
	c.changeUnseen(t, f, "silence-2")
	w.advance(t, 10*time.Minute)
	more(t, "the controller has listed again", &f.watches, before)
	f.silenceThese()
	w.advance(t, 10*time.Minute)
	c.has(t, "silence", "silence", w.holdsAll)
	c.has(t, "silence-2", "silence", w.holdsAll)
}

// changeUnseen deletes a Secret and makes a namespace. It waits until the front has
// dropped both events.
func (c *cluster) changeUnseen(t *testing.T, f *front, namespace string) {
	t.Helper()
	before := f.events.Load()
	if err := c.kube.CoreV1().Secrets("silence").Delete(t.Context(), "silence", metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	more(t, "the front has dropped the Secret's event", &f.events, before)
	before = f.events.Load()
	c.namespace(t, namespace, "silence")
	more(t, "the front has dropped the namespace's event", &f.events, before)
}

// TestFrozen: the controller replaces a connection that stays open but passes no
// data. Here that takes 2s, instead of the 45s of client-go's defaults.
func TestFrozen(t *testing.T) {
	t.Parallel()
	c, w := sharedCluster(t), newWorld(t)
	c.namespace(t, "frozen", "frozen")
	d := newDoor(t, c.address+":6443")
	through := *c
	through.address, through.serverName = d.listener.Addr().String(), c.address
	child(t, "frozen", []string{"HTTP2_READ_IDLE_TIMEOUT_SECONDS=1", "HTTP2_PING_TIMEOUT_SECONDS=1"}, w.arguments(t, &through, "frozen")...)
	c.has(t, "frozen", "frozen", w.holdsAll)
	d.freeze()
	c.namespace(t, "frozen-new", "frozen")
	if err := c.kube.CoreV1().Secrets("frozen").Delete(t.Context(), "frozen", metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	c.has(t, "frozen", "frozen", w.holdsAll)
	c.has(t, "frozen-new", "frozen", w.holdsAll)
}

// TestWriteUnderWay: a write that is in progress when everything is listed again is
// completed and counted.
func TestWriteUnderWay(t *testing.T) {
	t.Parallel()
	c, w := sharedCluster(t), newWorld(t)
	f := newFront(t, c)
	c.namespace(t, "underway", "underway")
	h := &hold{make(chan struct{}, 1), make(chan struct{})}
	f.answers.Store(h)
	r := w.run(t, w.argumentsThrough(t, f, "underway")...)
	<-h.arrived
	before := f.watches.Load()
	w.Pass(10 * time.Minute)
	w.clock.Step(10 * time.Minute)
	close(h.release)
	more(t, "the controller has listed again", &f.watches, before)
	r.metricIs(t, "writes_total", func(n float64) bool { return n == 1 })
	c.has(t, "underway", "underway", w.holdsAll)
}
