package awsapi

import (
	"net"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"

	"ecr-cross-account-credential-provider/pkg/registry"
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
		t.Fatal("not ECR")
	}
	return image.Registry()
}

// TestPreopen: the connection that was opened before is the one that the call
// goes over: one connection, one request.
func TestPreopen(t *testing.T) {
	t.Parallel()
	api, conns, requests := connections(t, wire{status: 200, body: `{"authorizationData":[]}`})
	api.PreopenECR(t.Context(), anECRRegistry(t))
	if err := getToken(t.Context(), api); err != nil {
		t.Fatal(err)
	}
	if conns.Load() != 1 || requests.n.Load() != 1 {
		t.Errorf("%d connections, %d requests, want one each", conns.Load(), requests.n.Load())
	}
	if err := getToken(t.Context(), api); err != nil {
		t.Error("it serves once, and then as usual:", err)
	}
}

// TestPreopenInVain: where nothing comes of it, the call connects for itself.
func TestPreopenInVain(t *testing.T) {
	t.Parallel()
	api, _, _ := connections(t, wire{status: 200, body: `{"authorizationData":[]}`})
	closed := make(chan net.Conn)
	close(closed)
	endpoint, err := api.ecrEndpoint(t.Context(), anECRRegistry(t))
	if err != nil {
		t.Fatal(err)
	}
	api.preopened.waiting[endpoint.URI.Host] = closed
	if err := getToken(t.Context(), api); err != nil {
		t.Error(err)
	}
}

// TestPreopenNot: over plain http there is no handshake to save.
func TestPreopenNot(t *testing.T) {
	t.Parallel()
	api := apiAt(t, "http://127.0.0.1:1")
	api.PreopenECR(t.Context(), anECRRegistry(t))
	if len(api.preopened.waiting) != 0 {
		t.Error("something was opened")
	}
}
