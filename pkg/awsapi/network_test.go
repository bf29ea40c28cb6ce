package awsapi

import (
	"bufio"
	"context"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"ecr-cross-account-credential-provider/test/fakeaws"

	"ecr-cross-account-credential-provider/pkg/failure"
)

// startAWS serves the example world, and makes an API that calls it for ECR.
func startAWS(t *testing.T, o fakeaws.Options, attempt time.Duration) (*API, *fakeaws.Server) {
	t.Helper()
	o.Dir = t.TempDir()
	// The SDK closes a request's body when the answer begins. If net/http has not
	// seen the body's end by then, it closes the connection.
	o.RoundTrip = 10 * time.Millisecond
	server, err := fakeaws.Start(fakeaws.ExampleWorld(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := server.Close(); err != nil {
			t.Error(err)
		}
	})
	timeouts := DefaultTimeouts()
	timeouts.Attempt, timeouts.Dial, timeouts.Handshake = attempt, attempt, attempt
	roots := x509.NewCertPool()
	if o.TLS {
		pem, err := os.ReadFile(o.Dir + "/fakeaws-ca.pem")
		if err != nil || !roots.AppendCertsFromPEM(pem) {
			t.Fatal(err)
		}
	}
	return apiAt(t, server.URL(fakeaws.ECR)).trust(roots, timeouts), server
}

// TestFaults: the class and the text of the error for each way in which a call gets no
// usable answer.
func TestFaults(t *testing.T) {
	t.Parallel()
	const hurry = 6 * time.Second // a busy machine needs seconds to reach the fault
	none := "no answer from HOST in time ("
	tests := []struct {
		kind        fakeaws.FaultKind
		plain, tls  string
		notInAHurry bool
	}{
		{fakeaws.HangAccept, none + "waiting for its answer)", none + "in the TLS handshake)", false},
		{fakeaws.HangHandshake, none + "waiting for its answer)", none + "in the TLS handshake)", false},
		{fakeaws.Reset, "HOST closed the connection", "HOST closed the connection", true},
		{fakeaws.HangHeaders, none + "waiting for its answer)", none, false}, // in any stage
		{fakeaws.HangBody, none + "reading its answer)", none + "reading its answer)", false},
		{fakeaws.Drip, none + "reading its answer)", none + "reading its answer)", false},
		{fakeaws.CutBody, "HOST closed the connection", "HOST closed the connection", true},
		{fakeaws.Flood, "HOST: the answer is larger than 1048576 bytes", "HOST: the answer is larger than 1048576 bytes", true},
	}
	for _, test := range tests {
		for name, overTLS := range map[string]bool{"plain": false, "TLS": true} {
			t.Run(string(test.kind)+", "+name, func(t *testing.T) {
				t.Parallel()
				attempt := hurry
				if test.notInAHurry {
					attempt = time.Minute
				}
				api, server := startAWS(t, fakeaws.Options{TLS: overTLS}, attempt)
				api.cfg.RetryMaxAttempts = 1
				server.Break(fakeaws.ECR, fakeaws.Fault{Kind: test.kind})
				text := test.plain
				if overTLS {
					text = test.tls
				}
				host := hostOfURL(server.URL(fakeaws.ECR))
				err := getToken(t.Context(), api)
				wantError(t, err, failure.Unavailable, strings.Replace(text, "HOST", host, 1))
			})
		}
	}
}

// TestDeadline: the caller's deadline gives the same text as the attempt's timeout,
// and no other attempt follows.
func TestDeadline(t *testing.T) {
	t.Parallel()
	api, server := startAWS(t, fakeaws.Options{}, time.Minute)
	server.Break(fakeaws.ECR, fakeaws.Fault{Kind: fakeaws.HangHeaders})
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	host := hostOfURL(server.URL(fakeaws.ECR))
	wantError(t, getToken(ctx, api), failure.Unavailable, "no answer from "+host+" in time (waiting for its answer)")
	if calls := server.Calls(); len(calls) != 1 {
		t.Errorf("got calls %v, want one", calls)
	}
}

// TestStopped: the error of a stopped call says how far the call got.
func TestStopped(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	api, count := serve(t, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		cancel()
		<-r.Context().Done()
	}), false)
	err := getToken(ctx, api)
	wantError(t, err, failure.Unavailable, "stopped while "+hostOfURL(*api.cfg.BaseEndpoint)+" was asked (waiting for its answer)")
	if count.n.Load() != 1 || !errors.Is(err, context.Canceled) {
		t.Errorf("got %d requests, %v; want one, context.Canceled", count.n.Load(), err)
	}
	err = getToken(ctx, api)
	wantError(t, err, failure.Unavailable, "stopped while ")
}

// TestTrust: a server without a trusted certificate gets no request.
func TestTrust(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name    string
		options fakeaws.Options
		strange bool
		want    string
		hint    string
	}{
		{"expired", fakeaws.Options{TLS: true, Expired: true}, false, "x509: certificate has expired or is not yet valid", "check the node's clock, and then the certificate"},
		{"of an unknown authority", fakeaws.Options{TLS: true}, true, "x509: certificate signed by unknown authority", "if a proxy inspects TLS, name a file with its CA's certificate in AWS_CA_BUNDLE in the provider's env"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			api, server := startAWS(t, test.options, time.Minute)
			if test.strange {
				api.trust(x509.NewCertPool(), DefaultTimeouts())
			}
			host := hostOfURL(server.URL(fakeaws.ECR))
			err := getToken(t.Context(), api)
			wantError(t, err, failure.Unavailable, "the TLS certificate of "+host+" is not accepted: "+test.want)
			wantHint(t, err, test.hint)
			if calls := server.Calls(); len(calls) != 0 {
				t.Errorf("got calls %v, want none", calls)
			}
		})
	}
	t.Run("of another name", func(t *testing.T) {
		t.Parallel()
		api, _ := serve(t, wire{status: 500}, true)
		other := strings.Replace(*api.cfg.BaseEndpoint, "127.0.0.1", "localhost", 1)
		api.cfg.BaseEndpoint = &other
		err := getToken(t.Context(), api)
		wantError(t, err, failure.Unavailable, "the TLS certificate of localhost:", "is not accepted: x509: certificate is valid for ")
		wantHint(t, err, "check where DNS, the proxy or the configured endpoint leads")
	})
	t.Run("no TLS at all", func(t *testing.T) {
		t.Parallel()
		server := httptest.NewServer(http.NotFoundHandler())
		t.Cleanup(server.Close)
		host := hostOfURL(server.URL)
		wantError(t, getToken(t.Context(), apiAt(t, "https://"+host)), failure.Unavailable, host+" does not speak TLS")
	})
	t.Run("noise instead of TLS", func(t *testing.T) {
		t.Parallel()
		host := listen(t, func(conn net.Conn) { _, _ = io.WriteString(conn, "220 mail.example ESMTP\r\n") })
		wantError(t, getToken(t.Context(), apiAt(t, "https://"+host)), failure.Unavailable, host+" does not speak TLS")
	})
	t.Run("noise instead of HTTP", func(t *testing.T) {
		t.Parallel()
		host := listen(t, func(conn net.Conn) {
			if request, err := http.ReadRequest(bufio.NewReader(conn)); err == nil {
				_, _ = io.Copy(io.Discard, request.Body)
			}
			_, _ = io.WriteString(conn, "220 "+secrets.SecretAccessKey+"\r\n")
		})
		wantError(t, getToken(t.Context(), apiAt(t, "http://"+host)), failure.Unavailable, host+" gave an answer that can't be read")
	})
}

// listen serves each connection with f. f need not close the connection.
func listen(t *testing.T, f func(net.Conn)) (address string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			t.Cleanup(func() { _ = conn.Close() })
			go f(conn)
		}
	}()
	return l.Addr().String()
}

// TestConnections: the text for each error of a connection, and whether another
// attempt follows.
func TestConnections(t *testing.T) {
	t.Parallel()
	const host = "api.ecr.eu-west-1.amazonaws.com"
	dial := func(err error) error { return &net.OpError{Op: "dial", Net: "tcp", Err: err} }
	system := func(errno syscall.Errno) error { return dial(os.NewSyscallError("connect", errno)) }
	tests := []struct {
		name  string
		err   error
		want  string
		again bool
	}{
		{"refused", system(syscall.ECONNREFUSED), host + " refused the connection", true},
		{"reset", system(syscall.ECONNRESET), host + " closed the connection", true},
		{"end", io.EOF, host + " closed the connection", true},
		{"sudden end", io.ErrUnexpectedEOF, host + " closed the connection", true},
		{"no route to the network", system(syscall.ENETUNREACH), host + " can't be reached: ", true},
		{"no route to the host", system(syscall.EHOSTUNREACH), host + " can't be reached: ", true},
		{"firewall", system(syscall.EPERM), host + " can't be reached: ", true},
		{"no such name", dial(&net.DNSError{Err: "no such host", Name: host, IsNotFound: true}), "the name " + host + " does not resolve (no such host)", false},
		{"no name server", dial(&net.DNSError{Err: "server misbehaving", Name: host, IsTemporary: true}), "the name " + host + " does not resolve (server misbehaving)", true},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			calls := 0
			api := apiOver(t, func(_ *http.Request) (*http.Response, error) {
				calls++
				return nil, test.err
			})
			wantError(t, getToken(t.Context(), api), failure.Unavailable, test.want)
			if want := map[bool]int{true: MaxAttempts, false: 1}[test.again]; calls != want {
				t.Errorf("got %d requests, want %d", calls, want)
			}
		})
	}
}

// TestTransient: another attempt gets an answer after each of these faults.
func TestTransient(t *testing.T) {
	t.Parallel()
	for name, fault := range map[string]fakeaws.Fault{
		"throttled": fakeaws.Throttled(3),
		"500":       fakeaws.Broken(3),
		"reset":     {Kind: fakeaws.Reset, Times: 3},
		"cut off":   {Kind: fakeaws.CutBody, Times: 3},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			api, server := startAWS(t, fakeaws.Options{}, time.Minute)
			server.Break(fakeaws.ECR, fault)
			// The fake does not know these credentials. Its refusal ends the
			// attempts.
			wantError(t, getToken(t.Context(), api), failure.Misconfigured, "UnrecognizedClientException: ")
		})
	}
}
