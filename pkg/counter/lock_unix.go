//go:build unix

package counter

import (
	"errors"
	"os"
	"syscall"
)

// openFlags prevent a pipe in place of a file from blocking the process.
const openFlags = syscall.O_NONBLOCK

// takeLock takes the lock for adding records to the totals. Requests do not wait
// for it.
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
	if err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return func() {
		_ = syscall.Flock(int(file.Fd()), syscall.LOCK_UN) // closing is not enough: a child process that is just starting may also have the file
		_ = file.Close()
	}, nil
}
