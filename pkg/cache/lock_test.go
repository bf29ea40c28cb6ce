//go:build unix

package cache

import (
	"context"
	"errors"
	"os"
	"sync/atomic"
	"syscall"
	"testing"
)

// TestLock: only one process at a time has the lock.
func TestLock(t *testing.T) {
	t.Parallel()
	n := newNode(t)
	first, second := n.open(), n.open()
	var held atomic.Bool
	done := make(chan error)
	release, err := first.lock(t.Context(), request.Key)
	must(t, err)
	held.Store(true)
	go func() {
		release, err := second.lock(t.Context(), request.Key)
		if err == nil {
			if held.Load() {
				err = errors.New("got the lock while another process has it")
			}
			release()
		}
		done <- err
	}()
	held.Store(false)
	release()
	must(t, <-done)
}

// TestLockIsGivenUp: a caller that stopped waiting for a lock does not hold it
// later.
func TestLockIsGivenUp(t *testing.T) {
	t.Parallel()
	n := newNode(t)
	release, err := n.open().lock(t.Context(), request.Key)
	must(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error)
	for range 10 {
		s := n.open()
		go func() {
			_, err := s.lock(ctx, request.Key)
			done <- err
		}()
	}
	cancel()
	for range 10 {
		if err := <-done; !errors.Is(err, context.Canceled) {
			t.Errorf("got %v, want context.Canceled", err)
		}
	}
	release()
	release, err = n.open().lock(t.Context(), request.Key)
	must(t, err)
	release()
}

// TestLockIsNotInherited: a child that starts while the lock is held gets a copy of
// the descriptor. The copy does not keep the lock.
func TestLockIsNotInherited(t *testing.T) {
	t.Parallel()
	n := newNode(t)
	s := n.open()
	file, _, err := s.open(request.Key.String()+lockSuffix, os.O_RDWR|os.O_CREATE)
	must(t, err)
	must(t, flock(file))
	duplicate, err := syscall.Dup(int(file.Fd()))
	must(t, err)
	t.Cleanup(func() { _ = syscall.Close(duplicate) })
	unlock(file)
	release, err := s.lock(t.Context(), request.Key)
	must(t, err)
	release()
}
