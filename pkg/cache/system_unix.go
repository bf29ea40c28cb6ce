//go:build unix

package cache

import (
	"errors"
	"io/fs"
	"os"
	"syscall"
)

// openFlags keep the process from blocking if a pipe is in the place of a file.
const openFlags = syscall.O_NONBLOCK

func supported() error { return nil }

func ownerOf(info fs.FileInfo) int {
	if stat, ok := info.Sys().(*syscall.Stat_t); ok {
		return int(stat.Uid)
	}
	return -1
}

// flock takes the lock of an open file, and waits for it.
func flock(file *os.File) error {
	for {
		if err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX); !errors.Is(err, syscall.EINTR) {
			return err
		}
	}
}

// unlock releases the lock. Closing the file is not enough, because a process that
// starts at this moment holds a copy of the descriptor.
func unlock(file *os.File) {
	_ = syscall.Flock(int(file.Fd()), syscall.LOCK_UN)
	_ = file.Close()
}
