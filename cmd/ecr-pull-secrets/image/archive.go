package main

import (
	"archive/tar"
	"errors"
	"io/fs"
	"os"
)

// archive writes the files of a directory into a tar file, in the order of their names.
func archive(dir, path string) (err error) {
	out, err := os.Create(path)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, out.Close()) }()
	w := tar.NewWriter(out)
	root := os.DirFS(dir)
	err = fs.WalkDir(root, ".", func(name string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case name == ".":
			return nil
		case entry.IsDir():
			return write(w, file{name: name + "/"})
		}
		content, err := fs.ReadFile(root, name)
		if err != nil {
			return err
		}
		return write(w, file{name, content, 0o644})
	})
	return errors.Join(err, w.Close())
}
