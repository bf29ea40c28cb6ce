package awsapi

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"time"

	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/smithy-go"
	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"ecr-cross-account-credential-provider/pkg/failure"
	"ecr-cross-account-credential-provider/pkg/printable"
)

// maxBody limits an answer. AWS's answers are a few KB long.
const maxBody = 1 << 20

// apiTransport reaches AWS's APIs, through the environment's proxy if there is one.
func apiTransport(t Timeouts) *awshttp.BuildableClient {
	return transport(t.Attempt, t.Dial, func(r *http.Request) (*url.URL, error) {
		if err := checkEndpoint(r.URL); err != nil {
			return nil, err
		}
		proxy, err := http.ProxyFromEnvironment(r)
		if proxy != nil {
			attemptOf(r.Context()).note(func(p *progress) { p.proxy = proxy.Host })
		}
		return proxy, err
	}).WithTransportOptions(func(tr *http.Transport) { tr.TLSHandshakeTimeout = t.Handshake })
}

// metadataTransport reaches the node's metadata services. It never uses a proxy,
// because a proxy could keep the credentials.
func metadataTransport(t Timeouts) *awshttp.BuildableClient {
	return transport(t.Metadata, t.Metadata, func(r *http.Request) (*url.URL, error) { return nil, checkMetadata(r.URL) })
}

func transport(attempt, dial time.Duration, proxy func(*http.Request) (*url.URL, error)) *awshttp.BuildableClient {
	return awshttp.NewBuildableClient().
		WithTimeout(attempt).
		WithDialerOptions(func(d *net.Dialer) { d.Timeout = dial }).
		WithTransportOptions(func(tr *http.Transport) {
			tr.MaxResponseHeaderBytes = maxBody
			tr.Proxy = func(r *http.Request) (*url.URL, error) {
				if r.Response != nil { // the SDK's client follows 307 and 308 by itself
					return nil, redirected(r.URL)
				}
				return proxy(r)
			}
			tr.OnProxyConnectResponse = func(_ context.Context, proxy *url.URL, _ *http.Request, resp *http.Response) error {
				return checkProxy(proxy.Host, resp)
			}
		})
}

// redirected returns the error for an answer that redirects the request. No
// redirect is followed, because the request holds a signature or a token.
func redirected(to *url.URL) error {
	return &knownError{detail: to.Host, cause: cause{
		text: "HOST redirected the request to DETAIL (redirects are not followed)", hint: toAnswer,
	}}
}

// checkProxy checks a proxy's answer to CONNECT.
func checkProxy(host string, resp *http.Response) error {
	switch resp.StatusCode {
	case http.StatusOK:
		return nil
	case http.StatusProxyAuthRequired:
		return &knownError{detail: host, cause: cause{
			text: "the proxy DETAIL asks for a password to connect to HOST (407)",
			hint: "put user and password into HTTPS_PROXY in the provider's env, or HOST into NO_PROXY",
		}}
	}
	return &knownError{detail: resp.Status, cause: cause{
		text: "the proxy refused to connect to HOST: DETAIL",
		hint: "let the proxy allow HOST, or put HOST into NO_PROXY in the provider's env",
	}}
}

// checkEndpoint refuses plain http, except to loopback.
func checkEndpoint(u *url.URL) error {
	loopback := u.Hostname() == "localhost" || net.ParseIP(u.Hostname()).IsLoopback()
	if u.Scheme == "https" || u.Scheme == "http" && loopback {
		return nil
	}
	return &knownError{detail: u.Scheme + "://" + u.Host, cause: cause{
		text: "the endpoint DETAIL is not https; want https, or http to a loopback address", class: failure.Misconfigured,
	}}
}

// metadataIPv6 holds the addresses at which IMDS, ECS and EKS Pod Identity serve
// metadata.
var metadataIPv6 = net.IPNet{IP: net.ParseIP("fd00:ec2::"), Mask: net.CIDRMask(32, 128)}

// checkMetadata also allows plain http to the addresses of metadata services. No
// router forwards packets to these addresses.
func checkMetadata(u *url.URL) error {
	if ip := net.ParseIP(u.Hostname()); ip.IsLinkLocalUnicast() || metadataIPv6.Contains(ip) {
		return nil
	}
	return checkEndpoint(u)
}

// instrument returns the middleware of every client, including the SDK's own. It is
// the last middleware before the HTTP client. It records how far each attempt gets,
// limits the answers, refuses redirects, and notes request IDs. It passes the
// answer's headers to observe, unless observe is nil.
func (a *API) instrument(observe func(http.Header)) stack {
	m := middleware.DeserializeMiddlewareFunc("Instrument", func(ctx context.Context, in middleware.DeserializeInput, next middleware.DeserializeHandler) (
		middleware.DeserializeOutput, middleware.Metadata, error,
	) {
		attempt := attemptOf(ctx)
		req := in.Request.(*smithyhttp.Request)
		out, metadata, err := next.HandleDeserialize(attempt.watch(ctx, req.Method, req.URL), in)
		resp, answered := out.RawResponse.(*smithyhttp.Response)
		if err != nil || !answered {
			attempt.end(0, err)
			return out, metadata, err
		}
		if observe != nil {
			observe(resp.Header)
		}
		a.options.Trace.Answered(printable.Line(a.secrets.Redact(resp.Header.Get("X-Amzn-Requestid")), 64))
		if location := resp.Header.Get("Location"); resp.StatusCode/100 == 3 && location != "" {
			to, e := req.URL.Parse(location)
			if e != nil {
				to = &url.URL{Host: "an address that is not a URL"}
			}
			err = redirected(to)
		}
		attempt.end(resp.StatusCode, err)
		resp.Body = bounded(resp.Body, maxBody, func(err error) { attempt.end(resp.StatusCode, err) })
		return out, metadata, err
	})
	return func(stack *middleware.Stack) error { return stack.Deserialize.Add(m, middleware.After) }
}

// refuseNull refuses an answer of a container's endpoint whose body is JSON null.
// The SDK's client would dereference nil, and end the process.
func refuseNull(stack *middleware.Stack) error {
	return stack.Deserialize.Add(middleware.DeserializeMiddlewareFunc("RefuseNull", func(ctx context.Context, in middleware.DeserializeInput, next middleware.DeserializeHandler) (
		middleware.DeserializeOutput, middleware.Metadata, error,
	) {
		out, metadata, err := next.HandleDeserialize(ctx, in)
		resp, answered := out.RawResponse.(*smithyhttp.Response)
		if err != nil || !answered {
			return out, metadata, err
		}
		var read bytes.Buffer
		var object *struct{}
		if e := json.NewDecoder(io.TeeReader(resp.Body, &read)).Decode(&object); e == nil && object == nil {
			err = &smithy.DeserializationError{Err: errors.New("the answer is null")}
		}
		resp.Body = struct {
			io.Reader
			io.Closer
		}{io.MultiReader(&read, resp.Body), resp.Body}
		return out, metadata, err
	}), middleware.After)
}

// bounded returns a body of at most limit bytes. If reading fails, the body passes
// the error to failed.
func bounded(body io.ReadCloser, limit int64, failed func(error)) io.ReadCloser {
	return boundedBody{http.MaxBytesReader(nil, body, limit), failed}
}

type boundedBody struct {
	io.ReadCloser
	failed func(error)
}

func (b boundedBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		b.failed(err)
	}
	return n, err
}
