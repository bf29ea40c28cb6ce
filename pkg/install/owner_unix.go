//go:build unix

package install

import (
	"io/fs"
	"os"
	"syscall"
)

// ownerOf returns who owns a file.
func ownerOf(info fs.FileInfo) *owner {
	status, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return nil
	}
	return &owner{UID: int(status.Uid), GID: int(status.Gid)}
}

// own gives a file that was just made to its owner, unless it is theirs already.
func own(f *os.File, o *owner) error {
	info, err := f.Stat()
	if err != nil || o == nil {
		return err
	}
	if now := ownerOf(info); now != nil && *now == *o {
		return nil
	}
	return f.Chown(o.UID, o.GID)
}
