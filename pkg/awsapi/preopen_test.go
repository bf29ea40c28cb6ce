package awsapi

import (
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"ecr-cross-account-credential-provider/pkg/failure"
	"ecr-cross-account-credential-provider/pkg/registry"
	"ecr-cross-account-credential-provider/test/fakeaws"
)

// connections serves h over TLS, and counts connections and requests.
func connections(t *testing.T, h http.Handler) (api *API, conns *atomic.Int64, requests *counter) {
	t.Helper()
	requests, conns = &counter{Handler: h}, &atomic.Int64{}
	server := httptest.NewUnstartedServer(requests)
	server.Config.ErrorLog = quiet()
	server.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			conns.Add(1)
		}
	}
	server.StartTLS()
	t.Cleanup(server.Close)
	roots := server.Client().Transport.(*http.Transport).TLSClientConfig.RootCAs
	return apiAt(t, server.URL).trust(roots, DefaultTimeouts()), conns, requests
}

func anECRRegistry(t *testing.T) registry.Registry {
	t.Helper()
	image, ok := registry.Parse("111122223333.dkr.ecr." + testRegion().String() + ".amazonaws.com/app")
	if !ok {
		t.Fatal("got no ECR image, want one")
	}
	return image.Registry()
}

// TestPreopen: the call uses the connection that was opened before. There is one
// connection and one request.
func TestPreopen(t *testing.T) {
	t.Parallel()
	api, conns, requests := connections(t, wire{status: 200, body: `{"authorizationData":[]}`})
	api.PreopenECR(t.Context(), anECRRegistry(t).API())
	if err := getToken(t.Context(), api); err != nil {
		t.Fatal(err)
	}
	if conns.Load() != 1 || requests.n.Load() != 1 {
		t.Errorf("got %d connections, %d requests, want one each", conns.Load(), requests.n.Load())
	}
	if err := getToken(t.Context(), api); err != nil {
		t.Errorf("got %v for the second call, want a new connection", err)
	}
}

// TestPreopenFails: if opening in advance fails, the call connects by itself.
func TestPreopenFails(t *testing.T) {
	t.Parallel()
	api, _, _ := connections(t, wire{status: 200, body: `{"authorizationData":[]}`})
	closed := make(chan net.Conn)
	close(closed)
	endpoint, err := api.ECRURL(anECRRegistry(t).API())
	if err != nil {
		t.Fatal(err)
	}
	api.preopened.Store(endpoint.Host, closed)
	if err := getToken(t.Context(), api); err != nil {
		t.Error(err)
	}
}

// TestPreopenPlainHTTP: no connection is opened in advance for plain http, because
// there is no handshake to save.
func TestPreopenPlainHTTP(t *testing.T) {
	t.Parallel()
	api := apiAt(t, "http://127.0.0.1:1")
	api.PreopenECR(t.Context(), anECRRegistry(t).API())
	api.preopened.Range(func(host, _ any) bool {
		t.Errorf("got a connection to %s, want none", host)
		return true
	})
}

// TestHandshake: a handshake that hangs does not use up the time of the attempt or
// of the caller, and the message says that it hangs.
func TestHandshake(t *testing.T) {
	t.Parallel()
	api, server := startAWS(t, fakeaws.Options{TLS: true}, time.Hour)
	api.cfg.RetryMaxAttempts, api.options.Timeouts.Handshake = 1, 100*time.Millisecond
	server.Break(fakeaws.ECR, fakeaws.Fault{Kind: fakeaws.HangHandshake})
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	wantError(t, getToken(ctx, api), failure.Unavailable, "no answer from "+hostOfURL(server.URL(fakeaws.ECR))+" in time (in the TLS handshake)")
	if ctx.Err() != nil {
		t.Errorf("got %v, want the handshake to end before the caller's time does", ctx.Err())
	}
}

// TestPreopenHangs: a call waits for the opened connection only as long as a
// handshake may take.
func TestPreopenHangs(t *testing.T) {
	t.Parallel()
	api, conns, _ := connections(t, wire{status: 200, body: `{"authorizationData":[]}`})
	timeouts := DefaultTimeouts()
	timeouts.Attempt = time.Hour
	api.trust(api.transport.TLSClientConfig.RootCAs, timeouts)
	endpoint, err := api.ECRURL(anECRRegistry(t).API())
	if err != nil {
		t.Fatal(err)
	}
	api.preopened.Store(endpoint.Host, make(chan net.Conn))
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if err := getToken(ctx, api); err != nil || conns.Load() != 1 {
		t.Errorf("got %v after %d connections, want success after one", err, conns.Load())
	}
}
