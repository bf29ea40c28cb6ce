//go:build unix

package requestlog

import (
	"fmt"
	"io/fs"
	"os"
	"syscall"
)

// openFlags make open refuse a link, and return at once for a pipe. Either may have
// replaced the file.
const openFlags = syscall.O_NONBLOCK | syscall.O_NOFOLLOW

// checkOwner refuses a file that belongs neither to root nor to this user. Its
// owner could read the log, or redirect it.
func checkOwner(info fs.FileInfo) error {
	if stat, ok := info.Sys().(*syscall.Stat_t); ok && stat.Uid != 0 && stat.Uid != uint32(os.Geteuid()) { //nolint:gosec // a user ID fits
		return fmt.Errorf("owned by user %d, neither root nor the user that runs this program (%d); remove it", stat.Uid, os.Geteuid())
	}
	return nil
}
