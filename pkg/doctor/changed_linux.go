package doctor

import (
	"io/fs"
	"syscall"
	"time"
)

// changed returns when a file was changed: its content, or its owner, mode and name.
// A file that was put in place with an old time of modification is new by the second.
func changed(info fs.FileInfo) time.Time {
	at := info.ModTime()
	if stat, ok := info.Sys().(*syscall.Stat_t); ok {
		if ctime := time.Unix(stat.Ctim.Unix()); ctime.After(at) {
			return ctime
		}
	}
	return at
}
