package cache

import (
	"cmp"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"time"
)

const (
	// maxEntries limits the cache. The authors of pods choose accounts and regions,
	// and each pair can be an entry.
	maxEntries = 512
	// leftover is the age above which a lock or a temporary file is not in use.
	leftover   = time.Minute
	lockSuffix = ".lock"
	tempSuffix = ".tmp"
)

// files returns the keys of the entries, and the names of locks and temporary
// files. It ignores other files in the directory.
func (s *Store) files() (keys []Key, others []string, err error) {
	all, err := fs.ReadDir(s.root.FS(), ".")
	for _, file := range all {
		head, _, more := strings.Cut(file.Name(), ".")
		switch key, ok := parseKey(head); {
		case ok && more:
			others = append(others, file.Name())
		case ok:
			keys = append(keys, key)
		}
	}
	return keys, others, err
}

// prune runs after a write. It removes entries above the limit, and files that
// ended processes have left. It removes useless entries first, then errors, then
// tokens. Among equals, the least recently used entry goes first.
//
// disk is the time by the file system's clock. The time of a temporary file, which
// another process may be writing, is by that clock. The time of a lock is by the
// wall clock. So a file is a leftover only if both clocks say so.
func (s *Store) prune(written Key, now instant, disk time.Time) {
	keys, others, _ := s.files()
	if excess := len(keys) - s.most; excess > 0 {
		var entries []entry
		for _, key := range keys {
			if key != written {
				e, _ := s.read(key, now) // an entry that cannot be read is useless
				entries = append(entries, e)
			}
		}
		slices.SortFunc(entries, func(a, b entry) int {
			return cmp.Or(cmp.Compare(a.worth(now.wall), b.worth(now.wall)), a.Used.Compare(b.Used), a.Learned.Compare(b.Learned))
		})
		for _, e := range entries[:excess] {
			_ = s.root.RemoveAll(e.Key.String()) // it may be a directory
		}
	}
	for _, name := range others {
		info, err := s.root.Lstat(name)
		if err == nil && now.wall.Sub(info.ModTime()).Abs() > leftover && disk.Sub(info.ModTime()).Abs() > leftover {
			_ = s.root.RemoveAll(name)
		}
	}
}

// Clear removes all files of the cache, and returns the number of entries. It does
// not remove other files.
func (s *Store) Clear() (int, error) {
	if s == nil {
		return 0, nil
	}
	keys, names, err := s.files()
	for _, key := range keys {
		names = append(names, key.String())
	}
	for _, name := range names {
		err = cmp.Or(err, s.root.RemoveAll(name))
	}
	if err != nil {
		return 0, fmt.Errorf("clearing the cache: %w", err)
	}
	return len(keys), nil
}
