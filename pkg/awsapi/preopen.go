package awsapi

import (
	"cmp"
	"context"
	"crypto/tls"
	"net"
	"net/http"

	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"

	"ecr-cross-account-credential-provider/pkg/registry"
)

// PreopenECR starts to connect to the API of a registry, and returns at once. So
// the connection is made while IMDS and STS answer. That saves a name look-up, and
// a TCP and a TLS handshake. Only one dial gets the connection. If opening it fails,
// the call connects again. Behind a proxy nothing is opened, because net/http would
// not use the connection.
func (a *API) PreopenECR(ctx context.Context, api registry.API) {
	endpoint, err := a.ECRURL(api)
	if err != nil || endpoint.Scheme != "https" || a.transport == nil {
		return
	}
	if proxy, err := http.ProxyFromEnvironment(&http.Request{URL: &endpoint}); proxy != nil || err != nil {
		return
	}
	host := net.JoinHostPort(endpoint.Hostname(), cmp.Or(endpoint.Port(), "443"))
	opened := make(chan net.Conn, 1)
	a.preopened.Store(host, opened)
	go func() {
		defer close(opened)
		ctx, cancel := context.WithTimeout(ctx, a.options.Timeouts.Dial+a.options.Timeouts.Handshake)
		defer cancel()
		if conn, err := a.dialTLS(ctx, "tcp", host); err == nil {
			opened <- conn
		}
	}()
}

// dialTLS connects, and limits the time of the handshake. net/http does not limit
// that time if the caller sets DialTLSContext.
func (a *API) dialTLS(ctx context.Context, network, address string) (net.Conn, error) {
	conn, err := a.transport.DialContext(ctx, network, address)
	if err != nil {
		return nil, err
	}
	config := a.transport.TLSClientConfig.Clone()
	config.ServerName, _, _ = net.SplitHostPort(address)
	attemptOf(ctx).enter(handshaking, "")
	ctx, cancel := context.WithTimeout(ctx, a.options.Timeouts.Handshake)
	defer cancel()
	secure := tls.Client(conn, config)
	if err := secure.HandshakeContext(ctx); err != nil {
		_ = conn.Close()
		return nil, err
	}
	return secure, nil
}

// takePreopened returns the connection that was opened for an address. It returns
// nil if there is none, or if the connection is not ready in time.
func (a *API) takePreopened(ctx context.Context, address string) net.Conn {
	opened, ok := a.preopened.LoadAndDelete(address)
	if !ok {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, a.options.Timeouts.Handshake)
	defer cancel()
	select {
	case conn := <-opened.(chan net.Conn): // nil if it failed
		return conn
	case <-ctx.Done():
		return nil
	}
}

// usePreopened makes the client use the connections that were opened for it.
func (a *API) usePreopened(client *awshttp.BuildableClient) *awshttp.BuildableClient {
	a.transport = client.GetTransport()
	return client.WithTransportOptions(func(tr *http.Transport) {
		tr.DialTLSContext = func(ctx context.Context, network, address string) (net.Conn, error) {
			attemptOf(ctx).enter(connecting, address)
			if conn := a.takePreopened(ctx, address); conn != nil {
				return conn, nil
			}
			return a.dialTLS(ctx, network, address)
		}
	})
}
