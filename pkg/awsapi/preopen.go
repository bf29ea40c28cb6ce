package awsapi

import (
	"cmp"
	"context"
	"crypto/tls"
	"net"
	"net/http"
	"sync"

	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"

	"ecr-cross-account-credential-provider/pkg/registry"
)

// preopened is connections that were opened before they were wanted: ECR's, while
// IMDS and STS answer. That saves a name look-up, a TCP and a TLS handshake in a
// row, two round trips and more. A connection serves once.
type preopened struct {
	mu      sync.Mutex
	waiting map[string]chan net.Conn // by host:port; closed empty where it failed
}

// PreopenECR starts to connect to the API of a private registry, and returns at
// once. Whether that comes to anything is seen when the API is called: if not, it
// is connected to anew. Behind a proxy nothing is opened, as net/http would not
// use it.
func (a *API) PreopenECR(ctx context.Context, reg registry.Registry) {
	endpoint, err := a.ecrEndpoint(ctx, reg)
	if err != nil || endpoint.URI.Scheme != "https" || a.preopened == nil {
		return
	}
	if proxy, err := http.ProxyFromEnvironment(&http.Request{URL: &endpoint.URI}); proxy != nil || err != nil {
		return
	}
	host := net.JoinHostPort(endpoint.URI.Hostname(), cmp.Or(endpoint.URI.Port(), "443"))
	opened := make(chan net.Conn, 1)
	a.preopened.mu.Lock()
	a.preopened.waiting[host] = opened
	a.preopened.mu.Unlock()
	go func() {
		defer close(opened)
		ctx, cancel := context.WithTimeout(ctx, a.options.Timeouts.Dial+a.options.Timeouts.Handshake)
		defer cancel()
		if conn, err := a.dialTLS(ctx, "tcp", host); err == nil && conn.HandshakeContext(ctx) == nil {
			opened <- conn
		}
	}()
}

// dialTLS connects, and leaves the handshake to whoever uses the connection.
func (a *API) dialTLS(ctx context.Context, network, address string) (*tls.Conn, error) {
	conn, err := a.transport.DialContext(ctx, network, address)
	if err != nil {
		return nil, err
	}
	config := a.transport.TLSClientConfig.Clone()
	config.ServerName, _, _ = net.SplitHostPort(address)
	return tls.Client(conn, config), nil
}

// usePreopened makes the client take a connection that was opened for it.
func (a *API) usePreopened(client *awshttp.BuildableClient) *awshttp.BuildableClient {
	a.preopened = &preopened{waiting: map[string]chan net.Conn{}}
	a.transport = client.GetTransport()
	return client.WithTransportOptions(func(tr *http.Transport) {
		tr.DialTLSContext = func(ctx context.Context, network, address string) (net.Conn, error) {
			if conn := a.preopened.take(ctx, address); conn != nil {
				return conn, nil
			}
			return a.dialTLS(ctx, network, address)
		}
	})
}

// take is the connection that was opened for an address; nil if there is none, or
// it came to nothing.
func (p *preopened) take(ctx context.Context, address string) net.Conn {
	p.mu.Lock()
	opened := p.waiting[address]
	delete(p.waiting, address)
	p.mu.Unlock()
	if opened == nil {
		return nil
	}
	select {
	case conn := <-opened:
		return conn
	case <-ctx.Done():
		return nil
	}
}
