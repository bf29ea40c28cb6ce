package install

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// disk is the file system of a node, below a root directory.
type disk struct {
	root string
	// before, if set, is called before each operation that changes the disk.
	before func(operation, path string)
}

// at returns the path of a node's file on this machine.
func (d disk) at(path string) string { return filepath.Join(d.root, path) }

func (d disk) changing(operation, path string) {
	if d.before != nil {
		d.before(operation, path)
	}
}

// exists reports whether one of the paths exists.
func (d disk) exists(paths ...string) bool {
	for _, path := range paths {
		if _, err := os.Lstat(d.at(path)); err == nil {
			return true
		}
	}
	return false
}

// isDir reports whether a path is a directory, or a link to one.
func (d disk) isDir(path string) bool {
	info, err := os.Stat(d.at(path))
	return err == nil && info.IsDir()
}

// inside returns an error if a symbolic link in a path points outside of the root
// directory. In an image, an absolute link would point to this machine's own files.
func (d disk) inside(path string) error {
	if d.root == "/" {
		return nil
	}
	dir := filepath.Dir(path)
	for dir != "/" && !d.exists(dir) {
		dir = filepath.Dir(dir)
	}
	root, err := realPath(d.root)
	if err != nil {
		return err
	}
	target, err := realPath(d.at(dir))
	if err == nil && target != root && !strings.HasPrefix(target, root+"/") {
		err = fmt.Errorf("%s leads out of %s, to %s; make the symbolic link in this path relative", d.at(dir), d.root, target)
	}
	return err
}

func realPath(path string) (string, error) {
	absolute, err := filepath.Abs(path)
	if err != nil {
		return "", err
	}
	return filepath.EvalSymlinks(absolute)
}

// staged returns the path of the temporary file that is renamed to a path. Both are in
// the same directory, and thus in the same file system. No kubelet reads the temporary
// file as a configuration.
func staged(path string) string {
	return filepath.Join(filepath.Dir(path), "."+filepath.Base(path)+".ecr-cross-account-new")
}

// stage writes an object beside its path, and syncs it to the disk.
func (d disk) stage(path string, o object) error {
	name := d.at(staged(path))
	d.changing("stage", path)
	if err := os.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if o.link != "" {
		return os.Symlink(o.link, name)
	}
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, o.mode) //nolint:gosec // below the root directory
	if err != nil {
		return err
	}
	_, err = f.Write(o.content)
	if err = errors.Join(err, own(f, o.owner), f.Chmod(o.mode), f.Sync(), f.Close()); err != nil {
		return errors.Join(err, os.Remove(name)) // the disk may be full
	}
	return nil
}

// put renames the staged object to its path.
func (d disk) put(path string) error {
	d.changing("put", path)
	if err := os.Rename(d.at(staged(path)), d.at(path)); err != nil {
		return err
	}
	return d.sync(filepath.Dir(path))
}

// remove removes the object at a path, if there is one.
func (d disk) remove(path string) error {
	d.changing("remove", path)
	if err := os.Remove(d.at(path)); err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		return err
	}
	return d.sync(filepath.Dir(path))
}

// makeDirs makes directories, parents first.
func (d disk) makeDirs(dirs []string) error {
	for _, dir := range dirs {
		d.changing("mkdir", dir)
		if err := os.Mkdir(d.at(dir), 0o755); err != nil && !errors.Is(err, fs.ErrExist) { //nolint:gosec // other users read what is there
			return err
		}
		if err := os.Chmod(d.at(dir), 0o755); err != nil { //nolint:gosec // whatever the umask
			return err
		}
	}
	return nil
}

// missing returns the directories of a path that do not exist, parents first.
func (d disk) missing(path string) (missing []string) {
	for dir := path; !d.exists(dir) && dir != filepath.Dir(dir); dir = filepath.Dir(dir) {
		missing = append([]string{dir}, missing...)
	}
	return missing
}

// removeEmpty removes directories that are empty, in this order.
func (d disk) removeEmpty(dirs []string) error {
	for _, dir := range dirs {
		entries, err := os.ReadDir(d.at(dir))
		if err != nil || len(entries) > 0 {
			continue // it no longer exists, or somebody else uses it
		}
		if err := d.remove(dir); err != nil {
			return err
		}
	}
	return nil
}

// sync writes a directory's entries to the disk.
func (d disk) sync(dir string) error {
	f, err := os.Open(d.at(dir))
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}
