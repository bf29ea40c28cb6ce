//go:build unix

package cache

import (
	"context"
	"testing"
)

// memoryLock is a lock in memory. Virtual time would stop while a goroutine waits
// for a file's lock.
type memoryLock chan struct{}

func newMemoryLock() memoryLock { return make(memoryLock, 1) }

func (l memoryLock) lock(ctx context.Context, _ Key) (func(), error) {
	select {
	case l <- struct{}{}:
		return func() { <-l }, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// hold takes the lock until the test ends, like a stopped process.
func (l memoryLock) hold(t *testing.T) {
	t.Helper()
	_, err := l.lock(t.Context(), Key{})
	must(t, err)
}
