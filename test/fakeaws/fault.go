package fakeaws

import (
	"bytes"
	"net/http"
	"strconv"
	"time"
)

// Fault is a fault of a service.
type Fault struct {
	Kind FaultKind
	// Operation is the only operation that has the fault: AssumeRole, for example, or
	// METHOD PATH for a registry. Empty means all. Faults of sockets and connections
	// affect all operations.
	Operation string
	// Times is the number of requests or connections that have the fault. 0 means all.
	// It is not for HangAccept and the faults of sockets.
	Times int
	// Status, Code and Message are for the kind Error.
	Status        int
	Code, Message string
	// Body is the whole body for the kind Answer. Its Status defaults to 200.
	Body string
}

// FaultKind is a kind of fault.
type FaultKind string

// These are the faults of sockets.
const (
	// Refuse refuses connections, as if no server listened.
	Refuse FaultKind = "refused"
	// BlackHole drops all packets, so clients get no answer at all.
	BlackHole FaultKind = "black hole"
)

func (k FaultKind) ofSockets() bool { return k == Refuse || k == BlackHole }

// These are the faults of connections.
const (
	// HangAccept does not accept connections that the kernel has established.
	HangAccept FaultKind = "hang before accept"
	// HangHandshake accepts connections but sends nothing. Over TLS, the handshake hangs.
	HangHandshake FaultKind = "hang in the handshake"
	// Reset resets a connection as soon as the server has accepted it.
	Reset FaultKind = "reset"
)

// These are the faults of requests.
const (
	// HangHeaders reads the request and never answers.
	HangHeaders FaultKind = "hang before headers"
	// HangBody answers with headers and the first bytes of a body.
	HangBody FaultKind = "hang in the body"
	// CutBody ends the connection in the middle of the body.
	CutBody FaultKind = "cut-off body"
	// Drip sends an endless body, one byte at a time.
	Drip FaultKind = "dripping body"
	// Flood sends an endless body as fast as possible.
	Flood FaultKind = "endless body"
	// Pad sends 8 MiB of white space before the right body. A client that limits the
	// body does not read the answer.
	Pad FaultKind = "padded body"
	// Error answers with Status, Code and Message in the service's protocol.
	Error FaultKind = "error"
	// Answer answers with Body.
	Answer FaultKind = "answer"
)

func (k FaultKind) ofConnections() bool {
	return k == HangHandshake || k == Reset
}

// Throttled is the service's error for too many requests.
func Throttled(times int) Fault {
	return Fault{Kind: Error, Times: times, Status: http.StatusBadRequest, Code: "Throttling", Message: "Rate exceeded"}
}

// Broken is an internal error of the service.
func Broken(times int) Fault {
	return Fault{Kind: Error, Times: times, Status: http.StatusInternalServerError, Code: "InternalFailure", Message: "We made a mistake"}
}

// Denied is AccessDenied, without a reason.
func Denied() Fault {
	return Fault{Kind: Error, Status: http.StatusForbidden, Code: "AccessDenied", Message: "not authorized"}
}

// play applies the fault to a request.
func (s *Server) play(f Fault, w http.ResponseWriter, r *http.Request, service Service) {
	const promised = 1000
	switch f.Kind {
	case HangHeaders:
		s.hang(r)
	case HangBody:
		startBody(w, promised)
		s.hang(r)
	case CutBody:
		startBody(w, promised)
		panic(http.ErrAbortHandler) // makes net/http abort the connection
	case Drip:
		drip(w, r)
	case Flood:
		flood(w, r)
	case Pad:
		_, _ = w.Write(bytes.Repeat([]byte(" "), 8<<20))
	case Error:
		(&apiError{f.Status, f.Code, f.Message}).write(w, service)
	case Answer:
		w.WriteHeader(max(f.Status, http.StatusOK))
		_, _ = w.Write([]byte(f.Body))
	}
}

// hang waits until the caller gives up, and then aborts the connection. If the handler
// returned instead, net/http would still send an answer.
func (s *Server) hang(r *http.Request) {
	s.hanging()
	<-r.Context().Done()
	panic(http.ErrAbortHandler)
}

func startBody(w http.ResponseWriter, length int) {
	w.Header().Set("Content-Length", strconv.Itoa(length))
	_, _ = w.Write([]byte("{"))
	_ = http.NewResponseController(w).Flush()
}

func drip(w http.ResponseWriter, r *http.Request) {
	ticker := time.NewTicker(20 * time.Millisecond)
	defer ticker.Stop()
	for r.Context().Err() == nil {
		startBody(w, 1<<20)
		select {
		case <-ticker.C:
		case <-r.Context().Done():
		}
	}
}

func flood(w http.ResponseWriter, r *http.Request) {
	chunk := bytes.Repeat([]byte(" "), 64<<10)
	for r.Context().Err() == nil {
		if _, err := w.Write(chunk); err != nil {
			return
		}
	}
}
