package doctor

import (
	"io/fs"
	"syscall"
	"time"
)

// changed returns when a file's content, owner, mode or name was last changed. So a
// file that was just put in place counts as changed, even if its modification time is
// old.
func changed(info fs.FileInfo) time.Time {
	at := info.ModTime()
	if stat, ok := info.Sys().(*syscall.Stat_t); ok {
		if ctime := time.Unix(stat.Ctim.Unix()); ctime.After(at) {
			return ctime
		}
	}
	return at
}
