package fakeaws

import (
	"errors"
	"net"
	"sync"
)

// socket is a service's port. It stays bound until it is closed, even while a fault
// shuts it, because another process could take a port that was released.
type socket struct {
	listener *net.TCPListener

	mu    sync.Mutex
	fault FaultKind // a fault of sockets, or none
}

func newSocket(address string) (*socket, error) {
	listener, err := listen(address)
	if err != nil {
		return nil, err
	}
	return &socket{listener: listener}, nil
}

func (s *socket) address() string { return s.listener.Addr().String() }

// isShut reports whether the socket refuses connections.
func (s *socket) isShut() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.fault == Refuse
}

// set ends the socket's fault and begins another. If the other fault is not a fault of
// sockets, set only ends the old one.
func (s *socket) set(kind FaultKind) error {
	if !kind.ofSockets() {
		kind = ""
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.fault == kind {
		return nil
	}
	before := s.fault
	s.fault = kind
	return control(s.listener, func(fd uintptr) error {
		return errors.Join(end(fd, before), begin(fd, kind))
	})
}

// close makes the port refuse further connections, even if a child process has just
// inherited the socket.
func (s *socket) close() error {
	_ = s.set(Refuse) // only Linux supports this; elsewhere, Close must suffice
	return s.listener.Close()
}

// control calls f with the listener's descriptor.
func control(listener *net.TCPListener, f func(fd uintptr) error) error {
	raw, err := listener.SyscallConn()
	if err != nil {
		return err
	}
	var failed error
	if err := raw.Control(func(fd uintptr) { failed = f(fd) }); err != nil {
		return err
	}
	return failed
}
