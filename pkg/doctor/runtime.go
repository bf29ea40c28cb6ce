package doctor

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net/http"
	"net/url"

	"golang.org/x/net/http/httpproxy"

	"ecr-cross-account-credential-provider/pkg/awsapi"
	"ecr-cross-account-credential-provider/pkg/boundedfile"
	"ecr-cross-account-credential-provider/pkg/printable"
)

// runtime connects to the registry and to S3 as the container runtime does. It uses
// the proxies and the CAs of the runtime's environment, not those of the kubelet's.
type runtime struct {
	client *http.Client
	proxy  func(*url.URL) (*url.URL, error)
}

func newRuntime(d Doctor, timeouts awsapi.Timeouts) *runtime {
	environ := environOf(d)
	r := &runtime{proxy: proxyFor(environ)}
	transport := &http.Transport{
		Proxy:                 func(request *http.Request) (*url.URL, error) { return r.proxy(request.URL) },
		DialContext:           d.Dial,
		TLSClientConfig:       &tls.Config{RootCAs: rootsFor(environ), MinVersion: tls.VersionTLS12},
		TLSHandshakeTimeout:   timeouts.Handshake,
		ResponseHeaderTimeout: timeouts.Attempt,
		DisableKeepAlives:     true,
		OnProxyConnectResponse: func(_ context.Context, _ *url.URL, request *http.Request, resp *http.Response) error {
			if resp.StatusCode == http.StatusOK {
				return nil
			}
			return fmt.Errorf("the proxy refused to connect to %s: %s", request.Host, printable.Line(resp.Status, 200))
		},
	}
	r.client = &http.Client{
		Transport:     transport,
		Timeout:       d.Limits.Call,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	return r
}

// runtimeNames are the programs that pull images.
var runtimeNames = []string{"containerd", "crio", "dockerd"}

// environOf returns the environment of the node's container runtime, or else that
// of this process.
func environOf(d Doctor) []string {
	found, err := d.Proc.Find(runtimeNames...)
	if err != nil || len(found) == 0 {
		return d.Process.Environ()
	}
	environ, err := found[0].Environ()
	if err != nil { // only root may read it
		return d.Process.Environ()
	}
	return environ
}

// proxyFor returns a function for the proxy of a URL. It reads the environment like
// Go programs such as containerd.
func proxyFor(environ []string) func(*url.URL) (*url.URL, error) {
	c := httpproxy.Config{
		HTTPProxy:  either(environ, "HTTP_PROXY", "http_proxy"),
		HTTPSProxy: either(environ, "HTTPS_PROXY", "https_proxy"),
		NoProxy:    either(environ, "NO_PROXY", "no_proxy"),
	}
	return c.ProxyFunc()
}

// rootsFor returns the CAs that an environment names in place of the system's. It
// returns nil for the system's.
func rootsFor(environ []string) *x509.CertPool {
	path := awsapi.Variable(environ, "SSL_CERT_FILE")
	if path == "" {
		return nil
	}
	pem, err := boundedfile.Read(path, maxFile)
	if err != nil {
		return nil // like Go
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(pem)
	return pool
}

func either(environ []string, names ...string) string {
	for _, name := range names {
		if value := awsapi.Variable(environ, name); value != "" {
			return value
		}
	}
	return ""
}

// maxFile limits each file that is read.
const maxFile = 1 << 20
