package fakeaws

import (
	"errors"
	"net"
	"sync"
	"time"
)

// listener is a service's listening socket. It adds faults of connections, and the
// delay of round trips.
type listener struct {
	socket  *socket
	server  *Server
	service Service
	closed  chan struct{}
	once    sync.Once
	mu      sync.Mutex
	parked  []net.Conn
}

// Accept waits for a connection without a fault. While HangAccept is active, it returns
// no connection, so that connections queue up.
func (l *listener) Accept() (net.Conn, error) {
	for {
		if !l.waitWhileShut() {
			return nil, net.ErrClosed
		}
		conn, err := l.socket.listener.Accept()
		if err != nil {
			continue // the socket was shut, and may be opened again
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
			return &distantConn{Conn: conn, roundTrip: l.roundTrip(), sleep: l.server.sleep, fresh: true}, nil
		}
	}
}

// waitWhileShut waits until the socket is open. It reports false if the listener is
// closed first.
func (l *listener) waitWhileShut() bool {
	for {
		changed := l.server.changes()
		select {
		case <-l.closed:
			return false
		default:
		}
		if !l.socket.isShut() {
			return true
		}
		select {
		case <-changed:
		case <-l.closed:
			return false
		}
	}
}

// Addr returns the socket's address.
func (l *listener) Addr() net.Addr { return l.socket.listener.Addr() }

// roundTrip returns the time of a round trip. It is 0 for IMDS and the proxy, which are
// on the node's own host.
func (l *listener) roundTrip() time.Duration {
	if l.service == IMDS || l.service == Proxy {
		return 0
	}
	return l.server.roundTrip
}

// reset closes a connection. The peer sees a reset, not an orderly end.
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
		l.server.hanging()
	}
}

// Close closes the socket and ends its faults that hang.
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

// distantConn is a connection that delays data by round trips. Each answer of the peer
// to written data takes a round trip. The first answer takes two, because connecting
// takes one.
type distantConn struct {
	net.Conn
	roundTrip time.Duration
	sleep     func(time.Duration)
	mu        sync.Mutex
	fresh     bool
	wrote     bool
}

func (c *distantConn) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	if n == 0 {
		return n, err // the peer sent nothing
	}
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
		c.sleep(wait)
	}
	return n, err
}

func (c *distantConn) Write(b []byte) (int, error) {
	c.mu.Lock()
	c.wrote = true
	c.mu.Unlock()
	return c.Conn.Write(b)
}
