package fakeaws

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"syscall"
)

// begin starts a fault of a listening socket.
//
// A listening socket that is shut down refuses connections and stays bound to its
// port. It does so at once, even if a forked child also has it.
//
// A socket with a filter that accepts no bytes drops all packets.
func begin(fd uintptr, fault FaultKind) error {
	switch fault {
	case Refuse:
		return os.NewSyscallError("shutdown", syscall.Shutdown(int(fd), syscall.SHUT_RD))
	case BlackHole:
		nothing := []syscall.SockFilter{{Code: syscall.BPF_RET | syscall.BPF_K}}
		return os.NewSyscallError("attach filter", syscall.AttachLsf(int(fd), nothing)) //nolint:staticcheck // x/net's BPF is another dependency
	}
	return nil
}

// end makes the socket listen again.
func end(fd uintptr, fault FaultKind) error {
	switch fault {
	case Refuse:
		return os.NewSyscallError("listen", syscall.Listen(int(fd), syscall.SOMAXCONN))
	case BlackHole:
		return os.NewSyscallError("detach filter", syscall.DetachLsf(int(fd))) //nolint:staticcheck // see begin
	}
	return nil
}

// listen listens at an address. If the address has port 0, it reserves a port and binds
// the socket to its number. After a bind to port 0, a shutdown would release the port.
func listen(address string) (*net.TCPListener, error) {
	at, err := netip.ParseAddrPort(address)
	if err != nil {
		return nil, err
	}
	if at.Port() == 0 {
		var release func() error
		if at, release, err = reserve(at.Addr()); err != nil {
			return nil, err
		}
		defer release() //nolint:errcheck // an error loses nothing
	}
	var plain net.ListenConfig
	plain.SetMultipathTCP(false) // MPTCP does not support filters
	listener, err := plain.Listen(context.Background(), "tcp", at.String())
	if err != nil {
		return nil, err
	}
	return listener.(*net.TCPListener), nil
}

// reserve binds a port of an IPv4 address until release is called. Meanwhile, only
// sockets that allow address reuse can bind to the port, like those of package net. The
// kernel does not choose the port for other sockets.
func reserve(ip netip.Addr) (at netip.AddrPort, release func() error, err error) {
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		return at, nil, os.NewSyscallError("socket", err)
	}
	release = func() error { return syscall.Close(fd) }
	err = errors.Join(
		os.NewSyscallError("setsockopt", syscall.SetsockoptInt(fd, syscall.SOL_SOCKET, syscall.SO_REUSEADDR, 1)),
		os.NewSyscallError("bind", syscall.Bind(fd, &syscall.SockaddrInet4{Addr: ip.As4()})),
	)
	if err != nil {
		return at, nil, errors.Join(err, release())
	}
	name, err := syscall.Getsockname(fd)
	if err != nil {
		return at, nil, errors.Join(os.NewSyscallError("getsockname", err), release())
	}
	bound, ok := name.(*syscall.SockaddrInet4)
	if !ok {
		return at, nil, errors.Join(fmt.Errorf("bound to %T, want IPv4", name), release())
	}
	return netip.AddrPortFrom(ip, uint16(bound.Port)), release, nil
}
