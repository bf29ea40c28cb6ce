package main

import (
	"io/fs"
	"strings"
)

// file is a file of an archive or a package. Its owner is root, and its time is that of
// the commit.
type file struct {
	name    string // its path, with slashes
	content []byte
	mode    fs.FileMode
	link    string // the target of a symbolic link
}

// These are paths in archives: of the manual pages and the completions, which are not
// in the repository, and of the systemd units.
const (
	manDir         = "man/"
	bashCompletion = "completions/" + toolName + ".bash"
	zshCompletion  = "completions/_" + toolName
	unitDir        = "config-examples/systemd/"
)

// below returns a file in a directory.
func (f file) below(dir string) file {
	f.name = dir + "/" + f.name
	return f
}

// base returns the last element of the name.
func (f file) base() string { return f.name[strings.LastIndex(f.name, "/")+1:] }
