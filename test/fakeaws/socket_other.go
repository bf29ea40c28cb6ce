//go:build !linux

package fakeaws

import (
	"errors"
	"net"
)

// begin returns an error for a fault of sockets, because this system does not support
// any.
func begin(_ uintptr, fault FaultKind) error {
	if fault.ofSockets() {
		return errors.New(string(fault) + ": only Linux has this fault")
	}
	return nil
}

func end(uintptr, FaultKind) error { return nil }

func listen(address string) (*net.TCPListener, error) {
	at, err := net.ResolveTCPAddr("tcp", address)
	if err != nil {
		return nil, err
	}
	return net.ListenTCP("tcp", at)
}
