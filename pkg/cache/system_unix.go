//go:build unix

package cache

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"syscall"
)

// openFlags keep a pipe that took an entry's place from stopping whoever opens
// it.
const openFlags = syscall.O_NONBLOCK

func supported() error { return nil }

// checkOwner refuses what somebody else can read or can have written.
func checkOwner(info fs.FileInfo) error {
	if mode := info.Mode().Perm(); mode&0o077 != 0 {
		return fmt.Errorf("is open to group or others (mode %04o)", mode)
	}
	if stat, ok := info.Sys().(*syscall.Stat_t); !ok || stat.Uid != uint32(os.Geteuid()) { //nolint:gosec // a user's number fits
		return fmt.Errorf("is not owned by the user that runs this program (%d)", os.Geteuid())
	}
	return nil
}

// tryLock takes a file's lock if nobody holds it. The system gives it back when
// the process ends, however it does.
func tryLock(file *os.File) (bool, error) {
	for {
		err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		switch {
		case err == nil:
			return true, nil
		case errors.Is(err, syscall.EWOULDBLOCK):
			return false, nil
		case !errors.Is(err, syscall.EINTR):
			return false, err
		}
	}
}
