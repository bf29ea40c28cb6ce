package fakeaws

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"net"
	"net/http"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// ask sends an unsigned request to ECR, and reads the whole response.
func ask(t *testing.T, s *Server) (status int, err error) {
	t.Helper()
	status, _, err = askFirst(t.Context(), t, s, math.MaxInt64, nil)
	return status, err
}

// askFirst sends the same request, and calls a function after the first bytes of the
// response's body. It keeps reading until the body or the context ends.
func askFirst(ctx context.Context, t *testing.T, s *Server, first int64, then func()) (status int, read int64, err error) {
	t.Helper()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, s.URL(ECR), strings.NewReader("{}"))
	if err != nil {
		t.Fatal(err)
	}
	response, err := newClient(t, s).Do(req)
	if err != nil {
		return 0, 0, err
	}
	defer func() { _ = response.Body.Close() }()
	read, err = io.CopyN(io.Discard, response.Body, first)
	if errors.Is(err, io.EOF) {
		return response.StatusCode, read, nil
	}
	if err != nil {
		return response.StatusCode, read, err
	}
	then()
	more, err := io.Copy(io.Discard, response.Body)
	return response.StatusCode, read + more, err
}

// TestFaults: a plain client sees the effect of these faults. If the fault does not end,
// the client gives up after the first bytes of the body. If no body arrives, it gives
// up once the server has begun to hang.
func TestFaults(t *testing.T) {
	t.Parallel()
	const all = math.MaxInt64
	isCanceled := func(err error) bool { return errors.Is(err, context.Canceled) }
	isReset := func(err error) bool { return errors.Is(err, syscall.ECONNRESET) || errors.Is(err, io.EOF) }
	isCut := func(err error) bool { return errors.Is(err, io.ErrUnexpectedEOF) }
	none := func(err error) bool { return err == nil }
	tests := []struct {
		fault  Fault
		hangs  bool
		status int
		first  int64 // bytes until the client gives up
		read   int64 // bytes at least
		err    func(error) bool
	}{
		{Fault{Kind: HangAccept}, true, 0, 0, 0, isCanceled},
		{Fault{Kind: HangHandshake}, true, 0, 0, 0, isCanceled},
		{Fault{Kind: Reset}, false, 0, all, 0, isReset},
		{Fault{Kind: HangHeaders}, true, 0, 0, 0, isCanceled},
		{Fault{Kind: HangBody}, true, 200, 1, 1, isCanceled},
		{Fault{Kind: CutBody}, false, 200, all, 1, isCut},
		{Fault{Kind: Drip}, false, 200, 2, 2, isCanceled},
		{Fault{Kind: Flood}, false, 200, 4 << 20, 4 << 20, isCanceled},
		{Throttled(0), false, 400, all, 2, none},
		{Broken(0), false, 500, all, 2, none},
		{Denied(), false, 400, all, 2, none},
		{Fault{Kind: Answer, Body: "words"}, false, 200, all, 5, none},
		{Fault{Kind: Answer, Body: "words", Status: 502}, false, 502, all, 5, none},
	}
	for _, test := range tests {
		for _, overTLS := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s %s%d, TLS %t", test.fault.Kind, test.fault.Code, test.fault.Status, overTLS), func(t *testing.T) {
				t.Parallel()
				hanging := make(chan struct{}, 1)
				s := start(t, ExampleWorld(), Options{TLS: overTLS, hanging: func() { hanging <- struct{}{} }})
				s.Break(ECR, test.fault)
				ctx, cancel := context.WithCancel(t.Context())
				giveUp := func() {
					if test.hangs {
						<-hanging
					}
					cancel()
				}
				if test.first == 0 {
					go giveUp()
				}
				status, read, err := askFirst(ctx, t, s, test.first, giveUp)
				cancel()
				if status != test.status || read < test.read || !test.err(err) {
					t.Errorf("got status %d, %d bytes, %v; want status %d, at least %d bytes", status, read, err, test.status, test.read)
				}
				s.Mend(ECR)
				if status, err := ask(t, s); status != http.StatusBadRequest || err != nil {
					t.Errorf("mended: got status %d, %v, want 400", status, err)
				}
			})
		}
	}
}

// TestTimes: a fault ends after the given number of requests.
func TestTimes(t *testing.T) {
	t.Parallel()
	for _, fault := range []Fault{Throttled(2), {Kind: Reset, Times: 2}} {
		t.Run(string(fault.Kind), func(t *testing.T) {
			t.Parallel()
			s := start(t, ExampleWorld(), Options{})
			s.Break(ECR, fault)
			for i := range 4 {
				// Each request has its own connection. No request is signed.
				_, err := ask(t, s)
				calls := s.Calls(ECR)
				if hit := err != nil || calls[len(calls)-1].Outcome == string(Error); hit != (i < 2) {
					t.Errorf("request %d: got %v, %v, want a fault: %t", i, err, calls, i < 2)
				}
			}
		})
	}
}

// TestOneAtATime: a fault of one service does not affect the others.
func TestOneAtATime(t *testing.T) {
	t.Parallel()
	s := start(t, ExampleWorld(), Options{})
	s.Break(STS, Fault{Kind: Reset})
	if status, err := ask(t, s); status != http.StatusBadRequest || err != nil {
		t.Errorf("got status %d, %v, want 400", status, err)
	}
	if got := get(t, s, http.MethodGet, documentPath, nil); got.status != http.StatusUnauthorized {
		t.Errorf("got %+v, want 401", got)
	}
}

// TestRoundTrip: connecting, the TLS handshake and each request take a round trip each.
func TestRoundTrip(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		tls         bool
		first, more int // round trips of the first request, and of each later one
	}{
		"plain": {false, 2, 1},
		"TLS":   {true, 3, 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			const roundTrip = time.Hour
			var slept atomic.Int64
			s := start(t, ExampleWorld(), Options{TLS: test.tls, RoundTrip: roundTrip, sleep: func(d time.Duration) { slept.Add(int64(d)) }})
			client := newClient(t, s)
			by := signing{session(s.World, nodeRole, time.Hour, false), "ecr", "eu-west-1", s.World.Now()}
			for i, want := range []int{test.first, test.more, test.more} {
				got := send(t, client, ecrRequest(s).sign(t, by))
				if took := time.Duration(slept.Swap(0)); took != time.Duration(want)*roundTrip || got.status != http.StatusOK {
					t.Errorf("request %d took %s, want %d round trips of %s: %+v", i, took, want, roundTrip, got)
				}
			}
		})
	}
}

// TestCalls: the list of calls has every request, with its caller and its outcome.
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
		t.Errorf("calls after Forget: %v, want none", got)
	}
}

func lines(calls []Call) []string {
	var all []string
	for _, c := range calls {
		all = append(all, c.String())
	}
	return all
}

// TestClose: no socket and no goroutine remains, even after faults that hang.
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
				for _, l := range s.listeners {
					// Dialing would prove nothing, because another process may have the
					// port by now.
					if _, err := l.socket.listener.Accept(); !errors.Is(err, net.ErrClosed) {
						t.Errorf("the socket is still open: %v", err)
					}
				}
				until(t, "the end of every goroutine", func() bool { return !serving() })
				if err := conn.SetReadDeadline(time.Now().Add(time.Minute)); err != nil {
					t.Fatal(err)
				}
				if _, err := io.Copy(io.Discard, conn); isTimeout(err) {
					t.Errorf("the connection is still open: %v", err)
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

// serving reports whether a goroutine of a server is still running.
func serving() bool {
	stacks := make([]byte, 1<<20)
	stacks = stacks[:runtime.Stack(stacks, true)]
	return strings.Contains(string(stacks), "fakeaws.(*Server)") || strings.Contains(string(stacks), "http.(*conn).serve")
}
