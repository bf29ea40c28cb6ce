//go:build linux

package attacks_test

import (
	"bytes"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strconv"
	"testing"

	"ecr-cross-account-credential-provider/test/fakeaws"
)

// endpoints maps each service to the environment variable for its URL.
var endpoints = map[fakeaws.Service]string{
	fakeaws.STS: "AWS_ENDPOINT_URL_STS", fakeaws.ECR: "AWS_ENDPOINT_URL_ECR",
	fakeaws.ECRPublic: "AWS_ENDPOINT_URL_ECR_PUBLIC", fakeaws.IMDS: "AWS_EC2_METADATA_SERVICE_ENDPOINT",
}

// serve replaces a service with a handler, and returns the handler's URL.
func (n *node) serve(service fakeaws.Service, handler http.HandlerFunc) string {
	n.t.Helper()
	server := httptest.NewServer(handler)
	n.t.Cleanup(server.Close)
	n.env = append(n.env, endpoints[service]+"="+server.URL)
	return server.URL
}

// change changes the answers of a service.
func (n *node) change(service fakeaws.Service, change func(header http.Header, body []byte) []byte) {
	n.t.Helper()
	target, err := url.Parse(n.aws.URL(service))
	if err != nil {
		n.t.Fatal(err)
	}
	proxy := &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(target)
			r.Out.Host = r.In.Host // the signature covers it
		},
		ModifyResponse: func(r *http.Response) error {
			body, err := io.ReadAll(r.Body)
			if err != nil {
				return err
			}
			body = change(r.Header, body)
			r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
			r.Header.Set("Content-Length", strconv.Itoa(len(body)))
			return nil
		},
	}
	n.serve(service, proxy.ServeHTTP)
}

// trap is a server that must get no request. It records the requests that it gets.
type trap struct {
	*httptest.Server
	requests list
}

// forbidden starts a server that nobody may call. A call fails the test.
func forbidden(t testing.TB) *trap {
	t.Helper()
	c := &trap{}
	c.Server = httptest.NewUnstartedServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { c.requests.add(r.Method + " " + r.URL.Path) }))
	c.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			c.requests.add("connection")
		}
	}
	c.Start()
	t.Cleanup(func() {
		c.Close()
		if requests := c.requests.all(); len(requests) > 0 {
			t.Errorf("requests to a server that must not be called: %q", requests)
		}
	})
	return c
}
