//go:build unix

package install

import (
	"errors"
	"fmt"
	"os"
	"syscall"
)

// lock takes the node's lock, which ends with the process at the latest. It is on the
// root directory: that is there before the first run, and no file is left behind. A
// plan needs none.
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
		_ = syscall.Flock(int(f.Fd()), syscall.LOCK_UN) // closing is not enough while a child that is starting has the file, too
		_ = f.Close()
	}, nil
}
