package doctor

import (
	"context"
	"crypto/tls"
	"fmt"
	"net/http"
	"net/http/httptrace"
	"net/netip"
	"net/url"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"ecr-cross-account-credential-provider/pkg/awsapi"
	"ecr-cross-account-credential-provider/pkg/diagnosis"
)

// probe sends any request to a host. An answer of any status shows that the name
// resolves, and that connection, TLS and proxy work.
type probe struct {
	client aws.HTTPClient
	url    url.URL
	proxy  *url.URL // nil if there is none
	done   chan struct{}
	result reach
}

// reach is the result of a probe.
type reach struct {
	err     error // of awsapi
	address string
	tls     string
	status  int
	ahead   time.Duration // how far the host's clock is ahead of the node's
	dated   bool
}

func (p *probe) run(ctx context.Context, limit time.Duration, send func(*http.Request) (*http.Response, error), now func() time.Time) {
	defer close(p.done)
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	var mu sync.Mutex // a dial that nobody waits for may still write
	var connected, secured string
	note := func(to *string, text string) {
		mu.Lock()
		defer mu.Unlock()
		*to = text
	}
	ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		GotConn: func(i httptrace.GotConnInfo) { note(&connected, i.Conn.RemoteAddr().String()) },
		TLSHandshakeDone: func(s tls.ConnectionState, _ error) {
			note(&secured, tls.VersionName(s.Version))
		},
	})
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, p.url.String(), nil)
	if err != nil {
		p.result.err = err
		return
	}
	resp, err := send(request)
	mu.Lock()
	defer mu.Unlock()
	p.result.address, p.result.tls = connected, secured
	if err != nil {
		p.result.err = err
		return
	}
	_ = resp.Body.Close()
	p.result.status = resp.StatusCode
	if date, err := http.ParseTime(resp.Header.Get("Date")); err == nil {
		p.result.ahead, p.result.dated = date.Sub(now()), true
	}
}

// wait returns the result.
func (p *probe) wait(ctx context.Context) reach {
	select {
	case <-p.done:
		return p.result
	case <-ctx.Done():
		return reach{err: ctx.Err()}
	}
}

// reachable returns the finding of a probe.
func reachable(p *probe, r reach, service string) diagnosis.Finding {
	if r.err != nil {
		return diagnosis.Fail(sideOfNetwork(r.err), cause(r.err), awsapi.Hint(r.err, service))
	}
	detail := describeAddress(r.address)
	if p.proxy != nil {
		detail = "through the proxy " + p.proxy.Host
	}
	if r.tls != "" {
		detail += ", " + r.tls
	}
	return diagnosis.Fine(fmt.Sprintf("%s, HTTP %d", detail, r.status))
}

// describeAddress says what kind of address answered.
func describeAddress(address string) string {
	parsed, err := netip.ParseAddrPort(address)
	switch {
	case err != nil:
		return address
	case parsed.Addr().IsPrivate():
		return parsed.Addr().String() + ", a private address, such as that of an endpoint in the VPC"
	}
	return parsed.Addr().String()
}
