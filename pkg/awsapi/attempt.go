package awsapi

import (
	"context"
	"crypto/tls"
	"errors"
	"net/http"
	"net/http/httptrace"
	"sync"

	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// attempt is how far the latest request of a call got: when time runs out, that
// is the cause that people want to know.
type attempt struct {
	mu     sync.Mutex
	host   string
	stage  string
	status int   // of the answer, 0 if there was none
	err    error // of the connection, in the answer's body too
}

type attemptKey struct{}

// withAttempt makes a context whose requests are noted.
func withAttempt(ctx context.Context) (context.Context, *attempt) {
	a := &attempt{}
	return context.WithValue(ctx, attemptKey{}, a), a
}

// attemptOf is where a context's requests are noted.
func attemptOf(ctx context.Context) *attempt {
	if a, ok := ctx.Value(attemptKey{}).(*attempt); ok {
		return a
	}
	return &attempt{}
}

// reached is the host that was called last, and what was going on.
func (a *attempt) reached() (host, stage string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.host, a.stage
}

func (a *attempt) note(stage string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.stage = stage
}

func (a *attempt) start(host string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.host, a.stage, a.status, a.err = host, "starting", 0, nil
}

func (a *attempt) end(status int, err error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.status, a.err = status, err
}

// complete adds to an error of the SDK what it may have lost on the way: the
// client of IMDS keeps the text of its causes only.
func (a *attempt) complete(err error) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	var response *smithyhttp.ResponseError
	switch {
	case a.err != nil && !errors.Is(err, a.err):
		return errors.Join(err, a.err)
	case a.err == nil && a.status != 0 && !errors.As(err, &response):
		return &smithyhttp.ResponseError{
			Response: &smithyhttp.Response{Response: &http.Response{StatusCode: a.status}},
			Err:      err,
		}
	}
	return err
}

// trace has a request to a host note its progress.
func (a *attempt) trace(ctx context.Context, host string) context.Context {
	a.start(host)
	return httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		DNSStart:             func(httptrace.DNSStartInfo) { a.note("looking up its name") },
		ConnectStart:         func(_, address string) { a.note("connecting to " + address) },
		TLSHandshakeStart:    func() { a.note("in the TLS handshake") },
		TLSHandshakeDone:     func(tls.ConnectionState, error) { a.note("after the TLS handshake") },
		WroteRequest:         func(httptrace.WroteRequestInfo) { a.note("waiting for its answer") },
		GotFirstResponseByte: func() { a.note("reading its answer") },
	})
}
