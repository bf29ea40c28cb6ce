package fakeaws

import (
	"context"
	"errors"
	"net"
	"os/exec"
	"sync"
	"syscall"
	"testing"
)

// TestFlips shuts and opens a port again and again. Meanwhile child processes start,
// which inherit its descriptor for a moment. A shut port refuses every connection, an
// open port accepts every connection, and no other process gets the port.
func TestFlips(t *testing.T) {
	t.Parallel()
	s := start(t, ExampleWorld(), Options{})
	ctx, stop := context.WithCancel(t.Context())
	var forks sync.WaitGroup
	for range 2 {
		forks.Go(func() {
			for ctx.Err() == nil {
				if err := exec.Command("true").Run(); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	address := hostOf(s.URL(ECR))
	for range 300 {
		s.Break(ECR, Fault{Kind: Refuse})
		if conn, err := net.Dial("tcp", address); !errors.Is(err, syscall.ECONNREFUSED) {
			t.Errorf("a shut port: got %v, %v, want a refusal", conn, err)
		}
		s.Mend(ECR)
		conn, err := net.Dial("tcp", address)
		if err != nil {
			t.Errorf("an open port: got %v, want a connection", err)
			continue
		}
		_ = conn.Close()
	}
	stop()
	forks.Wait()
}

// TestBlackHole: a connection neither succeeds nor fails while the fault lasts. Then it
// succeeds.
func TestBlackHole(t *testing.T) {
	t.Parallel()
	s := start(t, ExampleWorld(), Options{})
	s.Break(ECR, Fault{Kind: BlackHole})
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC|syscall.SOCK_NONBLOCK, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = syscall.Close(fd) })
	at := s.sockets[ECR].listener.Addr().(*net.TCPAddr).AddrPort()
	// Loopback delivers a packet before connect returns, so an answer would have
	// arrived.
	if err := syscall.Connect(fd, &syscall.SockaddrInet4{Addr: at.Addr().As4(), Port: int(at.Port())}); !errors.Is(err, syscall.EINPROGRESS) {
		t.Fatalf("connecting: %v, want %v", err, syscall.EINPROGRESS)
	}
	if state := tcpState(t, fd); state != synSent {
		t.Errorf("state %d, want %d", state, synSent)
	}
	s.Mend(ECR)
	if status, err := ask(t, s); status == 0 || err != nil {
		t.Errorf("after the fault: status %d, %v", status, err)
	}
	until(t, "the connection", func() bool { return tcpState(t, fd) != synSent })
}

// synSent is the kernel's number for the state of a connection that was not answered.
const synSent = 2

// tcpState returns the connection's state, the first byte of the kernel's tcp_info.
func tcpState(t *testing.T, fd int) int {
	t.Helper()
	info, err := syscall.GetsockoptInt(fd, syscall.SOL_TCP, syscall.TCP_INFO)
	if err != nil {
		t.Fatal(err)
	}
	return info & 0xff
}
