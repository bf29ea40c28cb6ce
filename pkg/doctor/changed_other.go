//go:build !linux

package doctor

import (
	"io/fs"
	"time"
)

// changed returns when a file was changed.
func changed(info fs.FileInfo) time.Time { return info.ModTime() }
