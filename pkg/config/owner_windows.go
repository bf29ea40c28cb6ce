package config

import "io/fs"

// checkOwner accepts every file. Windows has no mode bits: the directory's access
// control list decides who can write it.
func checkOwner(fs.FileInfo) error { return nil }
