package fakeaws

import (
	"errors"
	"net"
	"sync"
	"time"
)

// listener is a service's socket, with the faults of connections and the time
// of a round trip.
type listener struct {
	socket  *socket
	server  *Server
	service Service
	closed  chan struct{}
	once    sync.Once
	mu      sync.Mutex
	parked  []net.Conn
}

// Accept waits for a connection that no fault takes away. While HangAccept is on
// it returns none, so that they queue up.
func (l *listener) Accept() (net.Conn, error) {
	for {
		open, ok := l.open()
		if !ok {
			return nil, net.ErrClosed
		}
		conn, err := open.Accept()
		if err != nil {
			continue // shut, perhaps to be opened again
		}
		if !l.server.waitWhileHung(l.service, l.closed) {
			return nil, errors.Join(net.ErrClosed, conn.Close())
		}
		switch f, _ := l.server.connectionFault(l.service); f.Kind {
		case Reset:
			l.reset(conn)
		case HangHandshake:
			l.park(conn)
		default:
			return &distantConn{Conn: conn, roundTrip: l.roundTrip(), fresh: true}, nil
		}
	}
}

// open waits until the socket is open; it is false where the end came first.
func (l *listener) open() (net.Listener, bool) {
	for {
		changed := l.server.changes()
		select {
		case <-l.closed:
			return nil, false
		default:
		}
		if open := l.socket.current(); open != nil {
			return open, true
		}
		select {
		case <-changed:
		case <-l.closed:
			return nil, false
		}
	}
}

// Addr is where the socket is, or will be again.
func (l *listener) Addr() net.Addr {
	addr, _ := net.ResolveTCPAddr("tcp", l.socket.address) // it was one
	return addr
}

// roundTrip is none to IMDS, which is on the node's own host.
func (l *listener) roundTrip() time.Duration {
	if l.service == IMDS {
		return 0
	}
	return l.server.roundTrip
}

// reset makes the peer see a reset rather than an orderly end.
func (l *listener) reset(conn net.Conn) {
	if tcp, ok := conn.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0)
	}
	_ = conn.Close()
}

func (l *listener) park(conn net.Conn) {
	l.mu.Lock()
	defer l.mu.Unlock()
	select {
	case <-l.closed:
		_ = conn.Close()
	default:
		l.parked = append(l.parked, conn)
	}
}

// Close ends the socket and what hangs on it.
func (l *listener) Close() error {
	l.once.Do(func() { close(l.closed) })
	l.mu.Lock()
	defer l.mu.Unlock()
	var errs []error
	for _, conn := range l.parked {
		errs = append(errs, conn.Close())
	}
	l.parked = nil
	return errors.Join(append(errs, l.socket.close())...)
}

// distantConn is a connection over a longer way than loopback: whenever the peer
// answers what was written, a round trip has passed; the first time, two, as
// connecting takes one.
type distantConn struct {
	net.Conn
	roundTrip time.Duration
	mu        sync.Mutex
	fresh     bool
	wrote     bool
}

func (c *distantConn) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	c.mu.Lock()
	var wait time.Duration
	switch {
	case c.fresh:
		wait = 2 * c.roundTrip
	case c.wrote:
		wait = c.roundTrip
	}
	c.fresh, c.wrote = false, false
	c.mu.Unlock()
	if wait > 0 {
		time.Sleep(wait)
	}
	return n, err
}

func (c *distantConn) Write(b []byte) (int, error) {
	c.mu.Lock()
	c.wrote = true
	c.mu.Unlock()
	return c.Conn.Write(b)
}
