package fakeaws

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// ask sends an unsigned request to ECR, and reads the answer as far as most
// bytes; it gives up after patience.
func ask(t *testing.T, s *Server, patience time.Duration, most int64) (status, read int, err error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, s.URL(ECR), strings.NewReader("{}"))
	if err != nil {
		t.Fatal(err)
	}
	response, err := newClient(t, s).Do(req)
	if err != nil {
		return 0, 0, err
	}
	defer func() { _ = response.Body.Close() }()
	n, err := io.Copy(io.Discard, io.LimitReader(response.Body, most))
	return response.StatusCode, int(n), err
}

// TestFaults: each fault, as a plain client sees it.
func TestFaults(t *testing.T) {
	t.Parallel()
	const soon, late = 300 * time.Millisecond, time.Minute
	isTimeout := func(err error) bool { return errors.Is(err, context.DeadlineExceeded) }
	isReset := func(err error) bool { return errors.Is(err, syscall.ECONNRESET) || errors.Is(err, io.EOF) }
	isCut := func(err error) bool { return errors.Is(err, io.ErrUnexpectedEOF) }
	none := func(err error) bool { return err == nil }
	tests := []struct {
		fault    Fault
		patience time.Duration
		status   int
		read     int // at least
		err      func(error) bool
	}{
		{Fault{Kind: HangAccept}, soon, 0, 0, isTimeout},
		{Fault{Kind: HangHandshake}, soon, 0, 0, isTimeout},
		{Fault{Kind: Reset}, late, 0, 0, isReset},
		{Fault{Kind: HangHeaders}, soon, 0, 0, isTimeout},
		{Fault{Kind: HangBody}, soon, 200, 1, isTimeout},
		{Fault{Kind: CutBody}, late, 200, 1, isCut},
		{Fault{Kind: Drip}, soon, 200, 2, isTimeout},
		{Fault{Kind: Flood}, late, 200, 4 << 20, none},
		{Throttled(0), late, 400, 2, none},
		{Broken(0), late, 500, 2, none},
		{Denied(), late, 400, 2, none},
		{Fault{Kind: Answer, Body: "words"}, late, 200, 5, none},
		{Fault{Kind: Answer, Body: "words", Status: 502}, late, 502, 5, none},
	}
	for _, test := range tests {
		for _, overTLS := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s %s%d, TLS %t", test.fault.Kind, test.fault.Code, test.fault.Status, overTLS), func(t *testing.T) {
				t.Parallel()
				s := start(t, ExampleWorld(), Options{TLS: overTLS})
				s.Break(ECR, test.fault)
				status, read, err := ask(t, s, test.patience, 4<<20)
				if status != test.status || read < test.read || !test.err(err) {
					t.Errorf("status %d, %d bytes, %v", status, read, err)
				}
				s.Mend(ECR)
				if status, _, err := ask(t, s, late, 4<<20); status != http.StatusBadRequest || err != nil {
					t.Errorf("mended: status %d, %v", status, err)
				}
			})
		}
	}
}

// TestTimes: a fault that is over is over.
func TestTimes(t *testing.T) {
	t.Parallel()
	for _, fault := range []Fault{Throttled(2), {Kind: Reset, Times: 2}} {
		t.Run(string(fault.Kind), func(t *testing.T) {
			t.Parallel()
			s := start(t, ExampleWorld(), Options{})
			s.Break(ECR, fault)
			for i := range 4 {
				// Each request has a connection of its own; a signature is missing in all.
				_, _, err := ask(t, s, time.Minute, 1<<20)
				calls := s.Calls(ECR)
				if hit := err != nil || calls[len(calls)-1].Outcome == string(Error); hit != (i < 2) {
					t.Errorf("request %d: %v, %v", i, err, calls)
				}
			}
		})
	}
}

// TestOneAtATime: a fault of one service leaves the others alone.
func TestOneAtATime(t *testing.T) {
	t.Parallel()
	s := start(t, ExampleWorld(), Options{})
	s.Break(STS, Fault{Kind: Reset})
	if status, _, err := ask(t, s, time.Minute, 1<<20); status != http.StatusBadRequest || err != nil {
		t.Errorf("status %d, %v", status, err)
	}
	if got := get(t, s, http.MethodGet, documentPath, nil); got.status != http.StatusUnauthorized {
		t.Errorf("got %+v", got)
	}
}

// TestRoundTrip: connecting, the TLS handshake and each request take one each.
func TestRoundTrip(t *testing.T) {
	t.Parallel()
	const roundTrip, slack = 30 * time.Millisecond, 10 * time.Millisecond
	for name, test := range map[string]struct {
		tls       bool
		first, up time.Duration
	}{
		"plain": {false, 2 * roundTrip, roundTrip},
		"TLS":   {true, 3 * roundTrip, roundTrip},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := start(t, ExampleWorld(), Options{TLS: test.tls, RoundTrip: roundTrip})
			client := newClient(t, s)
			by := signing{session(s.World, nodeRole, time.Hour, false), "ecr", "eu-west-1", s.World.Now()}
			for i, least := range []time.Duration{test.first, test.up, test.up} {
				before := time.Now()
				got := send(t, client, ecrRequest(s).sign(t, by))
				if took := time.Since(before); took < least-slack || got.status != http.StatusOK {
					t.Errorf("request %d took %s, want %s at least: %+v", i, took, least, got)
				}
			}
		})
	}
}

// TestCalls: the record says what was asked, by whom, and what became of it.
func TestCalls(t *testing.T) {
	t.Parallel()
	var logged []Call
	s := start(t, ExampleWorld(), Options{Log: func(c Call) { logged = append(logged, c) }})
	as := session(s.World, nodeRole, time.Hour, false)
	assume(t, s, as, firstRole, "3600", "")
	assume(t, s, as, firstRole+"2", "900", "secret-id")
	password(t, s, ecrRequest(s), "ecr", "us-west-2", as)
	get(t, s, http.MethodGet, documentPath, nil)
	want := []string{
		"sts AssumeRole in eu-west-1 as " + as.Principal + ": role " + firstRole + ", session test, 1h0m0s -> ok",
		"sts AssumeRole in eu-west-1 as " + as.Principal + ": role " + firstRole + "2, session test, 15m0s, with an external ID -> AccessDenied",
		"ecr GetAuthorizationToken in us-west-2 as " + as.Principal + " -> ok",
		"imds GET /dynamic/instance-identity/document -> 401",
	}
	if got := lines(s.Calls()); !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	if got := lines(logged); !slices.Equal(got, want) {
		t.Errorf("logged %q, want %q", got, want)
	}
	if got := lines(s.Calls(ECR, IMDS)); !slices.Equal(got, want[2:]) {
		t.Errorf("got %q, want %q", got, want[2:])
	}
	s.Forget()
	if got := s.Calls(); len(got) != 0 {
		t.Errorf("not forgotten: %v", got)
	}
}

func lines(calls []Call) []string {
	var all []string
	for _, c := range calls {
		all = append(all, c.String())
	}
	return all
}

// TestClose: no socket and no goroutine is left, whatever hung.
//
//nolint:paralleltest // it counts the goroutines of the whole process
func TestClose(t *testing.T) {
	for _, kind := range []FaultKind{"", HangAccept, HangHandshake, HangHeaders, HangBody, Drip, Flood} {
		for _, overTLS := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, TLS %t", kind, overTLS), func(t *testing.T) {
				s, err := Start(ExampleWorld(), Options{TLS: overTLS, Dir: t.TempDir()})
				if err != nil {
					t.Fatal(err)
				}
				s.Break(ECR, Fault{Kind: kind})
				address := s.listeners[0].Addr().String()
				conn, err := net.Dial("tcp", hostOf(s.URL(ECR)))
				if err != nil {
					t.Fatal(err)
				}
				defer func() { _ = conn.Close() }()
				if _, err := io.WriteString(conn, "POST / HTTP/1.1\r\nHost: x\r\n\r\n"); err != nil {
					t.Fatal(err)
				}
				if err := s.Close(); err != nil {
					t.Error(err)
				}
				if _, err := net.Dial("tcp", address); !errors.Is(err, syscall.ECONNREFUSED) {
					t.Errorf("a socket is left: %v", err)
				}
				until(t, "the end of every goroutine", func() bool { return !serving() })
				if err := conn.SetReadDeadline(time.Now().Add(10 * time.Second)); err != nil {
					t.Fatal(err)
				}
				if _, err := io.Copy(io.Discard, conn); isTimeout(err) {
					t.Errorf("the connection is left: %v", err)
				}
			})
		}
	}
}

func isTimeout(err error) bool {
	var network net.Error
	return errors.As(err, &network) && network.Timeout()
}

func hostOf(url string) string {
	_, host, _ := strings.Cut(url, "://")
	return host
}

// serving tells whether a goroutine of a server is about.
func serving() bool {
	stacks := make([]byte, 1<<20)
	stacks = stacks[:runtime.Stack(stacks, true)]
	return strings.Contains(string(stacks), "fakeaws.(*Server)") || strings.Contains(string(stacks), "http.(*conn).serve")
}
