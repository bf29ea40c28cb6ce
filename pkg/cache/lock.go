package cache

import (
	"context"
	"os"
)

// lockFile takes the lock of a key. It waits for the lock until ctx ends. The
// system releases the lock when the process ends.
func (s *Store) lockFile(ctx context.Context, key Key) (release func(), err error) {
	name := key.String() + lockSuffix
	file, _, err := s.open(name, os.O_RDWR|os.O_CREATE)
	if err != nil && s.root.RemoveAll(name) == nil {
		file, _, err = s.open(name, os.O_RDWR|os.O_CREATE)
	}
	if err != nil {
		return nil, err
	}
	now := s.now().wall
	_ = s.root.Chtimes(name, now, now) // otherwise prune removes it as a leftover
	taken := make(chan error, 1)
	go func() {
		err := flock(file)
		if err != nil {
			_ = file.Close()
		}
		taken <- err
	}()
	select {
	case err := <-taken:
		return func() { unlock(file) }, err
	case <-ctx.Done():
		go func() { // a waiting flock cannot be cancelled
			if <-taken == nil {
				unlock(file)
			}
		}()
		return nil, ctx.Err()
	}
}
