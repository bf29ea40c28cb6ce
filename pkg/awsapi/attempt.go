package awsapi

import (
	"context"
	"crypto/tls"
	"errors"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"sync"

	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// stage is a part of a request.
type stage int

const (
	starting stage = iota
	resolving
	connecting
	handshaking
	waiting
	reading
)

// attempt records how far the latest request of a call got. If the time runs out,
// the message says how far.
type attempt struct {
	mu sync.Mutex
	p  progress
}

// progress describes how far a request got.
type progress struct {
	method, host, path string
	proxy              string // its host, if there is one
	stage              stage
	address            string // the one that the request connects to
	status             int    // of the answer; 0 if there was none
	err                error  // of the connection, including errors while reading the body
}

type attemptKey struct{}

// withAttempt returns a context whose requests are recorded.
func withAttempt(ctx context.Context) (context.Context, *attempt) {
	a := &attempt{}
	return context.WithValue(ctx, attemptKey{}, a), a
}

// attemptOf returns the record of a context's requests.
func attemptOf(ctx context.Context) *attempt {
	if a, ok := ctx.Value(attemptKey{}).(*attempt); ok {
		return a
	}
	return &attempt{}
}

func (a *attempt) note(change func(*progress)) {
	a.mu.Lock()
	defer a.mu.Unlock()
	change(&a.p)
}

func (a *attempt) enter(s stage, address string) {
	a.note(func(p *progress) { p.stage, p.address = s, address })
}

func (a *attempt) end(status int, err error) {
	a.note(func(p *progress) { p.status, p.err = status, err })
}

func (a *attempt) progress() (latest progress) {
	a.note(func(p *progress) { latest = *p })
	return latest
}

// watch starts to record a request.
func (a *attempt) watch(ctx context.Context, method string, u *url.URL) context.Context {
	a.note(func(p *progress) { *p = progress{method: method, host: u.Host, path: u.Path} })
	return httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		DNSStart:             func(httptrace.DNSStartInfo) { a.enter(resolving, "") },
		ConnectStart:         func(_, address string) { a.enter(connecting, address) },
		TLSHandshakeStart:    func() { a.enter(handshaking, "") },
		TLSHandshakeDone:     func(tls.ConnectionState, error) { a.enter(waiting, "") },
		WroteRequest:         func(httptrace.WroteRequestInfo) { a.enter(waiting, "") },
		GotFirstResponseByte: func() { a.enter(reading, "") },
	})
}

// doing describes the stage for a message.
func (p progress) doing() string {
	return [...]string{
		"starting", "looking up its name", "connecting to " + p.address, "in the TLS handshake", "waiting for its answer", "reading its answer",
	}[p.stage]
}

// complete adds the connection's error, or the answer's status, to an error of the SDK.
// The SDK's client of IMDS keeps only the text of a cause.
func (p progress) complete(err error) error {
	if p.err != nil && !errors.Is(err, p.err) {
		return errors.Join(err, p.err)
	}
	if p.err == nil && p.status != 0 && statusOf(err) == 0 {
		return &smithyhttp.ResponseError{Response: &smithyhttp.Response{Response: &http.Response{StatusCode: p.status}}, Err: err}
	}
	return err
}
