package fakeaws

import (
	"bytes"
	"net/http"
	"strconv"
	"time"
)

// Fault is what goes wrong with a service.
type Fault struct {
	Kind FaultKind
	// Operation is the only operation that meets it, such as AssumeRole, or of a
	// registry METHOD PATH; empty is all.
	// Faults of sockets and connections meet all.
	Operation string
	// Times is how many requests or connections it meets; 0 is all.
	Times int
	// Status, Code and Message are those of an Error.
	Status        int
	Code, Message string
	// Body is the whole of an Answer, with Status (200 if it is 0).
	Body string
}

// FaultKind is a way to go wrong.
type FaultKind string

// The faults of sockets.
const (
	// Refuse refuses connections: nobody listens.
	Refuse FaultKind = "refused"
	// BlackHole leads connections nowhere: nothing comes back at all.
	BlackHole FaultKind = "black hole"
)

func (k FaultKind) ofSockets() bool { return k == Refuse || k == BlackHole }

// The faults of connections.
const (
	// HangAccept accepts no connection: the kernel makes it, nobody takes it.
	HangAccept FaultKind = "hang before accept"
	// HangHandshake accepts and says nothing; over TLS that is in the handshake.
	HangHandshake FaultKind = "hang in the handshake"
	// Reset breaks a connection off as soon as it is accepted.
	Reset FaultKind = "reset"
)

// The faults of requests.
const (
	// HangHeaders takes the request and never answers.
	HangHeaders FaultKind = "hang before headers"
	// HangBody answers with headers and the first bytes of a body.
	HangBody FaultKind = "hang in the body"
	// CutBody ends the connection in the middle of the body.
	CutBody FaultKind = "cut-off body"
	// Drip sends a body a byte at a time, for ever.
	Drip FaultKind = "dripping body"
	// Flood sends a body without end.
	Flood FaultKind = "endless body"
	// Pad sends 8 MiB of white space and then the right body, which only a client
	// without a limit takes.
	Pad FaultKind = "padded body"
	// Error answers with Status, Code and Message in the service's protocol.
	Error FaultKind = "error"
	// Answer answers with Body.
	Answer FaultKind = "answer"
)

func (k FaultKind) ofConnections() bool {
	return k == HangHandshake || k == Reset
}

// Throttled is the service's word for too many requests.
func Throttled(times int) Fault {
	return Fault{Kind: Error, Times: times, Status: http.StatusBadRequest, Code: "Throttling", Message: "Rate exceeded"}
}

// Broken is an error of the service's own making.
func Broken(times int) Fault {
	return Fault{Kind: Error, Times: times, Status: http.StatusInternalServerError, Code: "InternalFailure", Message: "We made a mistake"}
}

// Denied is AccessDenied, for whatever reason.
func Denied() Fault {
	return Fault{Kind: Error, Status: http.StatusForbidden, Code: "AccessDenied", Message: "not authorized"}
}

// play makes a request meet the fault.
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
		panic(http.ErrAbortHandler) // net/http's way to break a connection off
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

// hang waits until the caller gives up, and breaks the connection off: a handler
// that returns would answer after all, and the caller may yet hear it.
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
