package test

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"io"
	"math"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
)

// front is a proxy of the API server. It counts the traffic. It can drop events, and
// can delay answers.
type front struct {
	*httptest.Server
	ca       string // the file of its certificate
	bytes    atomic.Int64
	requests atomic.Int64
	watches  atomic.Int64 // begun so far
	silent   atomic.Int64 // watches up to this one are silent
	events   atomic.Int64 // parts of watches that were dropped
	answers  atomic.Pointer[hold]
}

// hold delays the answers to writes.
type hold struct{ arrived, release chan struct{} }

func newFront(t *testing.T, c *cluster) *front {
	t.Helper()
	ca, err := os.ReadFile(c.file("apiserver.crt"))
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(ca)
	to := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}, ForceAttemptHTTP2: true}
	f := &front{ca: filepath.Join(t.TempDir(), "front.crt")}
	proxy := &httputil.ReverseProxy{
		Rewrite:       func(r *httputil.ProxyRequest) { r.SetURL(&url.URL{Scheme: "https", Host: c.address + ":6443"}) },
		Transport:     to,
		FlushInterval: -1, ModifyResponse: f.answer,
		ErrorHandler: func(w http.ResponseWriter, _ *http.Request, _ error) { w.WriteHeader(http.StatusBadGateway) },
	}
	f.Server = httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		f.requests.Add(1)
		proxy.ServeHTTP(w, r)
	}))
	f.Listener = countingListener{f.Listener, &f.bytes}
	f.EnableHTTP2 = true
	f.StartTLS()
	t.Cleanup(func() {
		f.CloseClientConnections()
		f.Close()
		to.CloseIdleConnections()
	})
	block := pem.Block{Type: "CERTIFICATE", Bytes: f.Certificate().Raw}
	if err := os.WriteFile(f.ca, pem.EncodeToMemory(&block), 0o600); err != nil {
		t.Fatal(err)
	}
	return f
}

// answer passes an answer on, or delays it.
func (f *front) answer(r *http.Response) error {
	if r.Request.URL.Query().Has("watch") {
		r.Body = &watched{r.Body, f, f.watches.Add(1)}
	}
	if h := f.answers.Load(); h != nil && r.Request.Method == http.MethodPatch {
		select {
		case h.arrived <- struct{}{}:
		default: // another one has arrived
		}
		select {
		case <-h.release:
		case <-r.Request.Context().Done():
			return r.Request.Context().Err()
		}
	}
	return nil
}

// watched is the body of a watch.
type watched struct {
	io.ReadCloser
	front  *front
	number int64
}

// Read drops what it reads while the watch is silent.
func (w *watched) Read(p []byte) (int, error) {
	n, err := w.ReadCloser.Read(p)
	for n > 0 && err == nil && w.number <= w.front.silent.Load() {
		w.front.events.Add(1)
		n, err = w.ReadCloser.Read(p)
	}
	return n, err
}

// silenceThese silences only the watches that have begun. silenceAll silences all
// watches until silenceThese is called.
func (f *front) silenceThese() { f.silent.Store(f.watches.Load()) }
func (f *front) silenceAll()   { f.silent.Store(math.MaxInt64) }

// kubeconfig returns the kubeconfig of an administrator whose requests go through the
// front.
func (f *front) kubeconfig(t *testing.T) string {
	t.Helper()
	return writeKubeconfig(t, f.URL, "", f.ca, adminToken, "default")
}

// argumentsThrough returns the arguments of a controller behind the front.
func (w *world) argumentsThrough(t *testing.T, f *front, team string) []string {
	t.Helper()
	return append(w.arguments(t, sharedCluster(t), team), "--kubeconfig="+f.kubeconfig(t))
}

// countingListener counts the bytes of its connections.
type countingListener struct {
	net.Listener
	bytes *atomic.Int64
}

// Accept returns a connection that counts.
func (l countingListener) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	return countingConn{conn, l.bytes}, err
}

type countingConn struct {
	net.Conn
	bytes *atomic.Int64
}

// Read counts the bytes that it reads.
func (c countingConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	c.bytes.Add(int64(n))
	return n, err
}

// Write counts the bytes that it writes.
func (c countingConn) Write(p []byte) (int, error) {
	n, err := c.Conn.Write(p)
	c.bytes.Add(int64(n))
	return n, err
}

// more waits until one of the front's counters has grown.
func more(t *testing.T, what string, n *atomic.Int64, than int64) {
	t.Helper()
	eventually(t, what, func() error {
		if now := n.Load(); now <= than {
			return fmt.Errorf("%d, want more than %d", now, than)
		}
		return nil
	})
}
