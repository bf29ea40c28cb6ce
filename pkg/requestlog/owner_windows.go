package requestlog

import "io/fs"

const openFlags = 0

// checkOwner leaves the decision to the access control list of the directory.
func checkOwner(fs.FileInfo) error { return nil }
