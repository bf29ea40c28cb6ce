package doctor

import (
	"io/fs"
	"syscall"
	"time"
)

// changed returns when a file's content, owner, mode or name was last changed. The
// time of the latter also shows when a file with an old modification time was put
// in place.
func changed(info fs.FileInfo) time.Time {
	at := info.ModTime()
	if stat, ok := info.Sys().(*syscall.Stat_t); ok {
		if ctime := time.Unix(stat.Ctim.Unix()); ctime.After(at) {
			return ctime
		}
	}
	return at
}
