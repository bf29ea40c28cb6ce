package cache

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
	"syscall"
)

// tempSuffix ends the name of an entry on its way.
const tempSuffix = ".tmp"

// read gets what is known of a key, nil if nothing is. The error says why a file
// that is there is not used.
func (s *Store) read(key Key) (*record, error) {
	data, err := s.readFile(key.String())
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, nil
	case err != nil:
		return nil, err
	}
	return decode(data, key, s.o.Now())
}

func (s *Store) readFile(name string) ([]byte, error) {
	file, err := s.open(name, os.O_RDONLY)
	if err != nil {
		return nil, err
	}
	defer file.Close() //nolint:errcheck // nothing was written
	data, err := io.ReadAll(io.LimitReader(file, maxFile+1))
	if err != nil {
		return nil, fmt.Errorf("it can't be read: %w", cause(err))
	}
	return data, nil
}

// open opens a file that is what it seems: a regular one, of this user alone,
// not reached by a link. An os.Root does follow links that stay in its folder,
// so what was opened is compared with what the name stands for.
func (s *Store) open(name string, flag int) (*os.File, error) {
	file, err := s.root.OpenFile(name, flag|openFlags, 0o600)
	switch {
	case errors.Is(err, fs.ErrNotExist) && !s.isLink(name):
		return nil, err
	case err != nil && s.isLink(name):
		return nil, errLink
	case err != nil:
		return nil, fmt.Errorf("it can't be opened: %w", cause(err))
	}
	if err := s.checkFile(file, name); err != nil {
		_ = file.Close()
		return nil, err
	}
	return file, nil
}

var errLink = errors.New("it is a symbolic link")

func (s *Store) isLink(name string) bool {
	named, err := s.root.Lstat(name)
	return err == nil && named.Mode()&fs.ModeSymlink != 0
}

func (s *Store) checkFile(file *os.File, name string) error {
	opened, err := file.Stat()
	if err != nil {
		return fmt.Errorf("it can't be looked at: %w", cause(err))
	}
	named, err := s.root.Lstat(name)
	switch {
	case errors.Is(err, fs.ErrNotExist), err == nil && named.Mode().IsRegular() && !os.SameFile(named, opened):
		// Replaced by another process in between: the one that was opened is as good.
	case err != nil:
		return fmt.Errorf("it can't be looked at: %w", cause(err))
	case named.Mode()&fs.ModeSymlink != 0:
		return errLink
	}
	if !opened.Mode().IsRegular() {
		return errors.New("it is no regular file")
	}
	return prefixed("it ", checkOwner(opened))
}

func prefixed(text string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s%w", text, err)
}

// write replaces a key's entry, or makes one. What was there before stays until
// the new one is complete.
func (s *Store) write(key Key, r *record) error {
	r.Version, r.Key = version, key.String()
	data, err := r.encode()
	if err != nil {
		return err
	}
	_, err = s.root.Lstat(r.Key)
	isNew := errors.Is(err, fs.ErrNotExist)
	temp := r.Key + "." + rand.Text() + tempSuffix
	if err = s.writeFile(temp, data); err == nil {
		err = s.replace(temp, r.Key)
	}
	if err != nil {
		_ = s.root.Remove(temp)
		return cause(err)
	}
	if isNew {
		s.prune(key)
	}
	return nil
}

func (s *Store) writeFile(name string, data []byte) (err error) {
	file, err := s.root.OpenFile(name, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	if err := file.Chmod(0o600); err != nil { // the umask has no say
		return err
	}
	if _, err := file.Write(data); err != nil {
		return err
	}
	return file.Sync()
}

// replace moves a file to its name. A link or a file of somebody else is
// replaced like any other; a folder must go first, which it does if it is empty.
func (s *Store) replace(temp, name string) error {
	err := s.root.Rename(temp, name)
	if errors.Is(err, syscall.EISDIR) || errors.Is(err, fs.ErrExist) {
		if s.root.Remove(name) == nil {
			return s.root.Rename(temp, name)
		}
	}
	return err
}

// names are those of all files of the cache: entries, and what stands beside
// them. Others are none of the cache's business.
func (s *Store) names() (entries []Key, beside []string, err error) {
	folder, err := s.root.Open(".")
	if err != nil {
		return nil, nil, cause(err)
	}
	defer folder.Close() //nolint:errcheck // nothing was written
	all, err := folder.Readdirnames(-1)
	for _, name := range all {
		head, _, more := strings.Cut(name, ".")
		switch key, ok := parseKey(head); {
		case ok && more:
			beside = append(beside, name)
		case ok:
			entries = append(entries, key)
		}
	}
	return entries, beside, err
}
