package cache

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"time"
)

// Store is a cache in a directory. Open returns one. A nil *Store is a cache that
// is off: each request asks AWS.
type Store struct {
	root *os.Root
	o    Options
	// lock takes the lock of a key. Tests replace it by one that waits in virtual
	// time.
	lock func(context.Context, Key) (release func(), err error)
	most int // the largest number of entries
}

// Options are the clocks and functions that a Store needs.
type Options struct {
	// Now is the node's clock. It may be wrong.
	Now func() time.Time
	// Random returns a number in [0, 1).
	Random func() float64
	// Warn receives problems of the cache. Several goroutines may call it at once.
	Warn func(string)
	// Boot shows whether the wall clock was set. So a change of the wall clock does
	// not change a token's age. The default is the system's. If Now is not the
	// system's clock, Boot is required.
	Boot Boot
}

// Open opens the cache in a directory, and creates the directory if its parent
// exists. It refuses a directory that other users could read, write or replace, and
// does not change it. The error says what to do. The caller can always continue
// without a cache.
func Open(dir string, o Options) (*Store, error) {
	if err := supported(); err != nil {
		return nil, err
	}
	root, err := openDirectory(dir)
	if err != nil {
		return nil, fmt.Errorf("the cache is off: %w; correct that, or name another directory", err)
	}
	if o.Boot.ID == nil {
		o.Boot = systemBoot()
	}
	s := &Store{root: root, o: o, most: maxEntries}
	s.lock = s.lockFile
	return s, nil
}

// Close closes the directory.
func (s *Store) Close() error {
	if s == nil {
		return nil
	}
	return s.root.Close()
}

// Root returns the directory, for other files that the node's processes share. It
// returns nil if the cache is off.
func (s *Store) Root() *os.Root {
	if s == nil {
		return nil
	}
	return s.root
}

// openDirectory opens the cache's directory. It resolves links among the parents,
// and checks the path before it opens the directory. So no other user can replace a
// part of the path.
func openDirectory(dir string) (*os.Root, error) {
	path, err := filepath.Abs(dir)
	if err != nil {
		return nil, err
	}
	parent, err := filepath.EvalSymlinks(filepath.Dir(path))
	if err != nil {
		return nil, err
	}
	path = filepath.Join(parent, filepath.Base(path))
	if err := CheckParents(path); err != nil {
		return nil, err
	}
	info, err := os.Lstat(path)
	if errors.Is(err, fs.ErrNotExist) {
		if err = os.Mkdir(path, 0o700); err == nil || errors.Is(err, fs.ErrExist) {
			info, err = os.Lstat(path)
		}
	}
	if err != nil {
		return nil, err
	}
	if err := check(info, fs.ModeDir|0o700); err != nil {
		return nil, fmt.Errorf("directory %s %w", path, err)
	}
	return os.OpenRoot(path)
}

// CheckParents refuses a path if users other than this one and root can replace a
// part of it.
func CheckParents(path string) error {
	for p, below := filepath.Dir(path), path; p != below; p, below = filepath.Dir(p), p {
		info, err := os.Lstat(p)
		if err != nil {
			return err
		}
		want := fs.ModeDir | 0o755
		if info.Mode()&fs.ModeSticky != 0 {
			want |= 0o022 // only the owner of a file can replace it
		}
		if err := check(info, want); err != nil {
			return fmt.Errorf("%s, a parent of %s, %w", p, path, err)
		}
	}
	return nil
}

// check refuses a file if it is of another kind than want, if its mode allows other
// users more than want does, or if another user owns it. It accepts a file of root,
// because root can do anything anyway.
func check(info fs.FileInfo, want fs.FileMode) error {
	mode, owner, self := info.Mode(), ownerOf(info), os.Geteuid()
	if mode.Type() == want.Type() && mode.Perm()&^want&0o077 == 0 && (owner == self || owner == 0) {
		return nil
	}
	return fmt.Errorf("has mode %s and belongs to user %d; want mode %s and user %d", mode, owner, want, self)
}

// open opens a regular file, and checks that no other user can read or write it.
func (s *Store) open(name string, flag int) (*os.File, fs.FileInfo, error) {
	file, err := s.root.OpenFile(name, flag|openFlags, 0o600)
	if err != nil {
		return nil, nil, fmt.Errorf("it cannot be opened: %w", cause(err))
	}
	info, err := file.Stat()
	if err == nil {
		err = check(info, 0o600)
	}
	if err != nil {
		_ = file.Close()
		return nil, nil, fmt.Errorf("it %w", err)
	}
	return file, info, nil
}

// read returns a key's entry. The error says why a file that exists is not used.
func (s *Store) read(key Key, now instant) (entry, error) {
	none := entry{Request: Request{Key: key}, Used: neverUsed}
	file, info, err := s.open(key.String(), os.O_RDONLY)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return none, nil
	case err != nil:
		return none, err
	}
	defer file.Close() //nolint:errcheck // nothing was written
	data := make([]byte, min(info.Size(), maxFile))
	if _, err := io.ReadFull(file, data); err != nil {
		return none, fmt.Errorf("it cannot be read: %w", cause(err))
	}
	e, err := decode(data, key, now)
	if err != nil {
		return none, err
	}
	e.Used = info.ModTime()
	return e, nil
}

// neverUsed is the time of last use in the file of an entry that was never served.
var neverUsed = time.Unix(0, 0)

// write replaces a key's entry. The old file stays until the new one is complete. A
// power cut may damage the file, and the checksum shows that.
func (s *Store) write(e entry, now instant) error {
	data, err := e.encode(now)
	if err != nil {
		return err
	}
	name := e.Key.String()
	temp := name + "." + rand.Text() + tempSuffix
	err = s.root.WriteFile(temp, data, 0o600)
	if err == nil {
		err = s.root.Rename(temp, name)
		if err != nil && s.root.RemoveAll(name) == nil { // it was a directory
			err = s.root.Rename(temp, name)
		}
	}
	if err != nil {
		_ = s.root.Remove(temp)
		return cause(err)
	}
	disk := now.wall
	if info, err := s.root.Lstat(name); err == nil {
		disk = info.ModTime()
	}
	_ = s.root.Chtimes(name, e.Used, e.Used) // not before the rename: prune would remove an old temporary file
	s.prune(e.Key, now, disk)
	return nil
}

// cause returns a file's error without the operation and the path.
func cause(err error) error {
	if errno, ok := errors.AsType[syscall.Errno](err); ok {
		return errno
	}
	return err
}
