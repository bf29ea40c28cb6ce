package awsapi

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"ecr-cross-account-credential-provider/pkg/record"
)

// maxBody is the length of an answer at most; AWS's are a few KB.
const maxBody = 1 << 20

// errTooLarge is what reading past maxBody ends in.
var errTooLarge = fmt.Errorf("the answer is larger than %d bytes", maxBody)

// apiTransport is how AWS's APIs are reached: through the proxy of the
// environment, if there is one.
func apiTransport(t Timeouts) *awshttp.BuildableClient {
	return awshttp.NewBuildableClient().
		WithTimeout(t.Attempt).
		WithDialerOptions(func(d *net.Dialer) { d.Timeout = t.Dial }).
		WithTransportOptions(func(tr *http.Transport) {
			tr.TLSHandshakeTimeout = t.Handshake
			tr.MaxResponseHeaderBytes = maxBody
			tr.Proxy = func(r *http.Request) (*url.URL, error) {
				if err := checkEndpoint(r.URL); err != nil {
					return nil, err
				}
				return http.ProxyFromEnvironment(r)
			}
		})
}

// metadataTransport is how the metadata services of the node are reached: never
// through a proxy, which could keep the credentials.
func metadataTransport(t Timeouts) *awshttp.BuildableClient {
	return awshttp.NewBuildableClient().
		WithTimeout(t.Metadata).
		WithDialerOptions(func(d *net.Dialer) { d.Timeout = t.Metadata }).
		WithTransportOptions(func(tr *http.Transport) {
			tr.MaxResponseHeaderBytes = maxBody
			tr.Proxy = func(r *http.Request) (*url.URL, error) { return nil, checkMetadata(r.URL) }
		})
}

// insecureEndpointError is an endpoint that would send credentials in the clear.
type insecureEndpointError struct{ host string }

func (e *insecureEndpointError) Error() string {
	return fmt.Sprintf("the endpoint http://%s is plain http; want https, or an address of loopback", e.host)
}

// checkEndpoint lets plain http go to loopback only.
func checkEndpoint(u *url.URL) error {
	loopback := u.Hostname() == "localhost" || net.ParseIP(u.Hostname()).IsLoopback()
	if u.Scheme == "https" || u.Scheme == "http" && loopback {
		return nil
	}
	return &insecureEndpointError{u.Host}
}

// checkMetadata lets it also go to the addresses at which nodes serve metadata,
// which no router forwards.
func checkMetadata(u *url.URL) error {
	if ip := net.ParseIP(u.Hostname()); ip.IsLinkLocalUnicast() || isMetadataIPv6(ip) {
		return nil
	}
	return checkEndpoint(u)
}

// isMetadataIPv6: IMDS, ECS and EKS pod identity serve metadata at addresses of
// fd00:ec2::/32.
func isMetadataIPv6(ip net.IP) bool {
	return len(ip) == net.IPv6len && ip[0] == 0xfd && ip[1] == 0x00 && ip[2] == 0x0e && ip[3] == 0xc2
}

// boundedClient bounds the answers' length, notes how far each attempt gets, what
// time the answers say it is, and by which names AWS knows the requests.
type boundedClient struct {
	next  aws.HTTPClient
	clock *clock // nil: the answers' time is nobody's
}

func (c boundedClient) Do(req *http.Request) (*http.Response, error) {
	a := attemptOf(req.Context())
	resp, err := c.next.Do(req.WithContext(a.trace(req.Context(), req.URL.Host)))
	if err != nil {
		a.end(0, err)
		return resp, err
	}
	c.clock.receive(req.Context(), a, resp)
	return resp, nil
}

// receive notes an answer, and bounds its length.
func (c *clock) receive(ctx context.Context, a *attempt, resp *http.Response) {
	a.end(resp.StatusCode, nil)
	record.Of(ctx).Answered(resp.Header.Get("X-Amzn-Requestid"))
	if c != nil {
		c.observe(resp.Header)
	}
	resp.Body = &boundedBody{ReadCloser: resp.Body, left: maxBody, failed: func(err error) { a.end(resp.StatusCode, err) }}
}

// boundSource does what boundedClient does for the clients that the SDK makes for
// itself, to assume the node's own role by a profile or a web identity: they are
// made before there is a boundedClient.
func boundSource(c *clock) func(*middleware.Stack) error {
	bound := middleware.DeserializeMiddlewareFunc("BoundSource", func(ctx context.Context, in middleware.DeserializeInput, next middleware.DeserializeHandler) (
		middleware.DeserializeOutput, middleware.Metadata, error,
	) {
		a := attemptOf(ctx)
		if req, ok := in.Request.(*smithyhttp.Request); ok {
			ctx = a.trace(ctx, req.URL.Host)
		}
		out, metadata, err := next.HandleDeserialize(ctx, in)
		if resp, ok := out.RawResponse.(*smithyhttp.Response); ok && resp.Response != nil && resp.Body != nil {
			c.receive(ctx, a, resp.Response)
		} else if err != nil {
			a.end(0, err)
		}
		return out, metadata, err
	})
	return func(stack *middleware.Stack) error { return stack.Deserialize.Add(bound, middleware.After) }
}

type boundedBody struct {
	io.ReadCloser
	left   int
	failed func(error)
	err    error // the first: those after it only tell that the body is closed
}

func (b *boundedBody) Read(p []byte) (int, error) {
	if b.err != nil {
		return 0, b.err
	}
	n, err := b.ReadCloser.Read(p[:min(len(p), b.left+1)])
	if n > b.left {
		n, err = b.left, errTooLarge
	}
	b.left -= n
	if err != nil && !errors.Is(err, io.EOF) {
		b.failed(err)
	}
	b.err = err
	return n, err
}
