//go:build unix

package config

import (
	"fmt"
	"io/fs"
	"os"
	"syscall"
)

// checkOwner refuses a file that another user may have written. The author of the
// file chooses the roles that the node's identity assumes.
func checkOwner(info fs.FileInfo) error {
	if mode := info.Mode().Perm(); mode&0o022 != 0 {
		return fmt.Errorf("writable by group or others (mode %04o); run: chmod go-w", mode)
	}
	if stat, ok := info.Sys().(*syscall.Stat_t); ok && stat.Uid != 0 && stat.Uid != uint32(os.Geteuid()) { //nolint:gosec // a user ID fits
		return fmt.Errorf("owned by user %d, neither root nor the user that runs this program (%d); run: chown root", stat.Uid, os.Geteuid())
	}
	return nil
}
