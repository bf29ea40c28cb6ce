package awsapi

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"ecr-cross-account-credential-provider/pkg/failure"
	"ecr-cross-account-credential-provider/pkg/secret"
)

// nameless is a dialer that cannot resolve any name.
func nameless(_ context.Context, _, address string) (net.Conn, error) {
	host, _, _ := net.SplitHostPort(address)
	return nil, &net.OpError{Op: "dial", Err: &net.DNSError{Err: "no such host", Name: host, IsNotFound: true}}
}

// sendTo sends a GET to a URL with a client of its own.
func sendTo(t *testing.T, address string, transport *http.Transport) (string, error) {
	t.Helper()
	api, err := Load(t.Context(), Options{Timeouts: DefaultTimeouts(), Now: time.Now, Random: func() float64 { return 0 }})
	if err != nil {
		t.Fatal(err)
	}
	api.KeepSecret(secret.New("a-secret-of-the-caller"))
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address, nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := api.Send(&http.Client{Transport: transport}, request)
	if err != nil {
		return "", err
	}
	body, err := io.ReadAll(resp.Body)
	return string(body), errors.Join(err, resp.Body.Close())
}

func TestSend(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/refused":
			w.WriteHeader(http.StatusForbidden)
			_, _ = w.Write([]byte("no"))
		case "/endless":
			_, _ = w.Write(make([]byte, 2*maxBody))
		case "/broken":
			panic(http.ErrAbortHandler)
		}
	}))
	t.Cleanup(server.Close)
	direct := &http.Transport{DisableKeepAlives: true}
	if body, err := sendTo(t, server.URL+"/refused", direct); body != "no" || err != nil {
		t.Errorf("status 403: got %q, %v; want the body and no error", body, err)
	}
	if _, err := sendTo(t, server.URL+"/endless", direct); err == nil || !strings.Contains(err.Error(), "too large") {
		t.Errorf("an endless body: got %v, want too large", err)
	}
	_, err := sendTo(t, server.URL+"/broken", direct)
	if class, ok := failure.Of(err); !ok || class != failure.Unavailable || !strings.Contains(err.Error(), "closed the connection") {
		t.Errorf("a broken connection: got %v, want closed the connection", err)
	}
}

func TestSendToUnknownName(t *testing.T) {
	t.Parallel()
	_, err := sendTo(t, "https://registry.invalid/a-secret-of-the-caller", &http.Transport{DialContext: nameless})
	if err == nil || !strings.Contains(err.Error(), "does not resolve") || strings.Contains(err.Error(), "secret") {
		t.Errorf("a name that does not exist: got %v, want does not resolve, without the secret", err)
	}
	if hint := Hint(err, "the registry"); !strings.Contains(hint, "the registry needs an interface endpoint") {
		t.Errorf("got hint %q, want an interface endpoint in it", hint)
	}
}
