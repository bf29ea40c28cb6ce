package test

import (
	"context"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// TestRestart: the API server is down for longer than a lease. Then the controller
// works again.
func TestRestart(t *testing.T) {
	t.Parallel()
	c, w := ownCluster(t), newWorld(t)
	c.namespace(t, "restart", "restart")
	r := w.run(t, "--config="+w.config(t, threeRegistries()), "--kubeconfig="+c.kubeconfig(t, adminToken, "default"),
		"--namespace-selector=team=restart", "--secret-name=restart", "--listen=127.0.0.1:0")
	before := c.has(t, "restart", "restart", w.holdsAll)
	c.stop(t)
	r.metricIs(t, "leader", func(n float64) bool { return n == 0 })
	if err := c.start(context.WithoutCancel(t.Context())); err != nil {
		t.Fatal(err)
	}
	c.namespace(t, "restart-new", "restart")
	c.has(t, "restart-new", "restart", w.holdsAll)
	after := c.has(t, "restart", "restart", w.holdsAll)
	if before.ResourceVersion != after.ResourceVersion {
		t.Error("got another write of the Secret, want none")
	}
	if n := w.count("GetAuthorizationToken"); n != 3 {
		t.Errorf("got %d tokens, want only the first 3", n)
	}
}

// door is a proxy of the API server that can be shut.
type door struct {
	listener net.Listener
	to       string

	mu    sync.Mutex
	shut  bool
	conns map[net.Conn]*atomic.Bool // whether the connection is frozen
}

func newDoor(t *testing.T, to string) *door {
	t.Helper()
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	d := &door{listener: listener, to: to, conns: map[net.Conn]*atomic.Bool{}}
	t.Cleanup(func() {
		_ = listener.Close()
		d.set(true)
	})
	go d.serve()
	return d
}

func (d *door) serve() {
	for {
		client, err := d.listener.Accept()
		if err != nil {
			return
		}
		if server, err := net.Dial("tcp", d.to); err != nil || !d.admit(client, server) {
			_ = client.Close()
		}
	}
}

// admit joins two connections, unless the door is shut.
func (d *door) admit(client, server net.Conn) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.shut {
		_ = server.Close()
		return false
	}
	frozen := &atomic.Bool{}
	for from, to := range map[net.Conn]net.Conn{client: server, server: client} {
		d.conns[from] = frozen
		go func() {
			_, _ = io.Copy(to, freezing{from, frozen})
			_ = to.Close()
		}()
	}
	return true
}

// freeze drops all data on the open connections, and keeps them open. New connections
// still work.
func (d *door) freeze() {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, frozen := range d.conns {
		frozen.Store(true)
	}
}

// freezing is a connection that may be frozen.
type freezing struct {
	net.Conn
	frozen *atomic.Bool
}

// Read drops the data of a frozen connection.
func (f freezing) Read(p []byte) (int, error) {
	n, err := f.Conn.Read(p)
	for n > 0 && err == nil && f.frozen.Load() {
		n, err = f.Conn.Read(p)
	}
	return n, err
}

// set shuts or opens the door. Shutting it cuts every connection.
func (d *door) set(shut bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.shut = shut
	for conn := range d.conns {
		if shut {
			_ = conn.Close()
			delete(d.conns, conn)
		}
	}
}

// TestCut: changes that happen while the watches are cut are seen afterwards.
func TestCut(t *testing.T) {
	t.Parallel()
	c, w := sharedCluster(t), newWorld(t)
	c.namespace(t, "cut", "cut")
	d := newDoor(t, c.address+":6443")
	through := *c
	through.address, through.serverName = d.listener.Addr().String(), c.address
	args := w.arguments(t, &through, "cut")
	r := w.run(t, args...)
	c.has(t, "cut", "cut", w.holdsAll)
	d.set(true)
	c.namespace(t, "cut-new", "cut")
	if err := c.kube.CoreV1().Secrets("cut").Delete(t.Context(), "cut", metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	if _, err := c.secret(t.Context(), "cut", "cut"); err == nil {
		t.Error("got a repair while the door is shut, want none")
	}
	d.set(false)
	c.has(t, "cut", "cut", w.holdsAll)
	c.has(t, "cut-new", "cut", w.holdsAll)
	r.stop()
}
