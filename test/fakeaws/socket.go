package fakeaws

import (
	"errors"
	"net"
	"net/netip"
	"os"
	"sync"
	"syscall"
	"time"
)

// socket is a service's port, which can be shut and opened again at the same
// address.
type socket struct {
	address string

	mu     sync.Mutex
	open   net.Listener // nil while it is shut
	hole   *hole        // in its place, where connections lead nowhere
	taken  *os.File     // in its place, where they are refused
	closed bool
}

func newSocket(address string) (*socket, error) {
	open, err := net.Listen("tcp", address)
	if err != nil {
		return nil, err
	}
	return &socket{address: open.Addr().String(), open: open}, nil
}

// current is what to accept from; nil while the socket is shut.
func (s *socket) current() net.Listener {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.open
}

// set opens the socket, or shuts it by a fault.
func (s *socket) set(kind FaultKind) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return net.ErrClosed
	}
	if err := s.shut(); err != nil {
		return err
	}
	var err error
	switch kind {
	case Refuse:
		s.taken, err = take(s.address)
	case BlackHole:
		s.hole, err = newHole(s.address)
	default:
		s.open, err = listenAgain(s.address)
	}
	return err
}

// listenAgain waits for the kernel to be done with what was at the address.
func listenAgain(address string) (net.Listener, error) {
	for tries := 0; ; tries++ {
		open, err := net.Listen("tcp", address)
		if !errors.Is(err, syscall.EADDRINUSE) || tries == 200 {
			return open, err
		}
		time.Sleep(10 * time.Millisecond)
	}
}

// shut is set's and close's; the lock is held.
func (s *socket) shut() error {
	var errs []error
	if s.open != nil {
		errs = append(errs, s.open.Close())
	}
	if s.hole != nil {
		errs = append(errs, s.hole.close())
	}
	if s.taken != nil {
		errs = append(errs, s.taken.Close())
	}
	s.open, s.hole, s.taken = nil, nil, nil
	return errors.Join(errs...)
}

// take binds an address without listening: connections are refused, and nobody
// else gets the port.
func take(address string) (*os.File, error) {
	at, err := netip.ParseAddrPort(address)
	if err != nil {
		return nil, err
	}
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	file := os.NewFile(uintptr(fd), address)
	err = errors.Join(
		syscall.SetsockoptInt(fd, syscall.SOL_SOCKET, syscall.SO_REUSEADDR, 1), // of connections that were
		syscall.Bind(fd, &syscall.SockaddrInet4{Port: int(at.Port()), Addr: at.Addr().As4()}),
	)
	if err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return file, nil
}

func (s *socket) close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	return s.shut()
}

// hole is a port whose queue is full, so that the kernel drops whoever knocks.
type hole struct {
	listener net.Listener
	queued   []net.Conn
}

func newHole(address string) (*hole, error) {
	listener, err := listenAgain(address)
	if err != nil {
		return nil, err
	}
	h := &hole{listener: listener}
	raw, err := listener.(*net.TCPListener).SyscallConn()
	if err != nil {
		return nil, errors.Join(err, h.close())
	}
	var shrunk error
	if err := raw.Control(func(fd uintptr) { shrunk = syscall.Listen(int(fd), 0) }); err != nil || shrunk != nil {
		return nil, errors.Join(err, shrunk, h.close())
	}
	for range 8 { // a queue of none takes one or two
		conn, err := net.DialTimeout("tcp", address, 50*time.Millisecond)
		if err != nil {
			return h, nil //nolint:nilerr // full, as it should be
		}
		h.queued = append(h.queued, conn)
	}
	return nil, errors.Join(errors.New("the queue never fills"), h.close())
}

func (h *hole) close() error {
	errs := []error{h.listener.Close()}
	for _, conn := range h.queued {
		errs = append(errs, conn.Close())
	}
	return errors.Join(errs...)
}
