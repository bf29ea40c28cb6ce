//go:build unix

package install

import (
	"io/fs"
	"os"
	"syscall"
)

// ownerOf returns the owner of a file.
func ownerOf(info fs.FileInfo) *owner {
	status, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return nil
	}
	return &owner{UID: int(status.Uid), GID: int(status.Gid)}
}

// own gives a new file to its owner, unless that is already the owner.
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
