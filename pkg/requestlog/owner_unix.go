//go:build unix

package requestlog

import (
	"fmt"
	"io/fs"
	"os"
	"syscall"
)

// openFlags keep a pipe or a link that took the file's place from being opened.
const openFlags = syscall.O_NONBLOCK | syscall.O_NOFOLLOW

// checkOwner refuses what another user than root and the own one owns: that user
// could read the log, or direct it elsewhere.
func checkOwner(info fs.FileInfo) error {
	if stat, ok := info.Sys().(*syscall.Stat_t); ok && stat.Uid != 0 && stat.Uid != uint32(os.Geteuid()) { //nolint:gosec // a user's number fits
		return fmt.Errorf("owned by user %d, neither root nor the user that runs this program (%d); remove it", stat.Uid, os.Geteuid())
	}
	return nil
}
