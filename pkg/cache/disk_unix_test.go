//go:build unix

package cache

import (
	"os"
	"strconv"
	"syscall"
)

// readOnlyChild works in a directory that it cannot write. Root can write anywhere,
// so it changes to another user first.
func readOnlyChild(dir string) error {
	if err := os.Mkdir(dir, 0o700); err != nil {
		return err
	}
	if os.Geteuid() == 0 {
		const nobody = 65534
		if err := os.Chown(dir, nobody, -1); err != nil {
			return err
		}
		if err := syscall.Setuid(nobody); err != nil {
			return err
		}
	}
	if err := os.Chmod(dir, 0o500); err != nil {
		return err
	}
	s, err := openChild(dir)
	if err != nil {
		return err
	}
	return pullUnwritable(s)
}

// limitedChild pulls with a limit for the size of files. CACHE_TEST_LIMIT is the
// limit in bytes.
func limitedChild(dir string) error {
	s, err := openChild(dir)
	if err != nil {
		return err
	}
	limit, err := strconv.ParseUint(os.Getenv("CACHE_TEST_LIMIT"), 10, 64)
	if err != nil {
		return err
	}
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &syscall.Rlimit{Cur: limit, Max: limit}); err != nil {
		return err
	}
	return pullUnwritable(s)
}
