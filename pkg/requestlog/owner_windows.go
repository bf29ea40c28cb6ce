package requestlog

import "io/fs"

const openFlags = 0

// checkOwner accepts every file: the directory's access control list decides.
func checkOwner(fs.FileInfo) error { return nil }
