package config

import "io/fs"

// checkOwner leaves it to the folder's access control list who may write the
// file: there are no mode bits to look at.
func checkOwner(fs.FileInfo) error { return nil }
