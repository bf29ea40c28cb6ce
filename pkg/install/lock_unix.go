//go:build unix

package install

import (
	"errors"
	"fmt"
	"os"
	"syscall"
)

// lock takes the node's lock. The lock ends with the process at the latest. The lock is
// on the root directory, which exists before the first run, so no lock file stays
// behind.
func (i *Installer) lock() (unlock func(), err error) {
	f, err := os.Open(i.Root)
	if err != nil {
		return nil, fmt.Errorf("taking the lock: %w", err)
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		if errors.Is(err, syscall.EWOULDBLOCK) {
			err = errors.New("another install or uninstall is working on this node; wait until it has ended")
		}
		return nil, errors.Join(err, f.Close())
	}
	return func() {
		_ = syscall.Flock(int(f.Fd()), syscall.LOCK_UN) // closing is not enough while a child that is starting also has the file
		_ = f.Close()
	}, nil
}
