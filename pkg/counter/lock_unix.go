//go:build unix

package counter

import (
	"errors"
	"os"
	"syscall"
)

// openFlags keep a pipe in a file's place from blocking the process.
const openFlags = syscall.O_NONBLOCK

// takeLock takes the lock of the process that adds up. Requests do not wait for it.
func takeLock(dir *os.Root) (unlock func(), err error) {
	file, err := open(dir, lock, os.O_RDWR|os.O_CREATE)
	if err != nil {
		return nil, err
	}
	for {
		if err = syscall.Flock(int(file.Fd()), syscall.LOCK_EX); !errors.Is(err, syscall.EINTR) {
			break
		}
	}
	return func() { _ = file.Close() }, err
}
