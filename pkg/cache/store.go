// Package cache shares tokens among all of the plugin's processes on a node, by
// files: the kubelet starts a process per image, dozens at once, and each must
// not ask AWS anew. It knows nothing of AWS; whoever uses it says how to ask,
// and what an error means.
//
// The cache only helps. Whatever is wrong with the disk, the answer is the one
// that AWS gives, and a warning says what was wrong.
//
// # Files
//
// The folder belongs to the plugin's user alone (0700; files 0600) and holds,
// for each key, the SHA-256 of all that decides who may have the token:
//
//	KEY             the entry, JSON; replaced by rename, never written in place
//	KEY.lock        held (flock) by the process that asks; says until when it has promised an answer
//	KEY.lock2       the same for the one that asks in place of a holder that broke its promise
//	KEY.RANDOM.tmp  an entry on its way
//
// An entry of another version of the format, older or newer, is not used, and
// replaced by the next answer: after an upgrade or a downgrade of the plugin
// the cache heals itself. Two versions at work at the same time ask more often
// than one would, and disturb each other in no other way.
package cache

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"
)

// Store is a cache in a folder. Open makes it. A nil *Store is a cache that is
// off: it asks each time, and remembers nothing.
type Store struct {
	root *os.Root
	o    Options
	most int // entries
}

// Options are what a Store is given; all must be set.
type Options struct {
	// Now is the node's clock. It may be wrong; see Token.
	Now func() time.Time
	// Random is a number of [0, 1).
	Random func() float64
	// Warn is told what people should know although an answer was given. It
	// may be called by several goroutines at once if Do is.
	Warn func(string)
	// Verdict says what an error of a Mint means.
	Verdict func(error) Verdict
}

// Open opens the cache in a folder, and makes the folder if only its last
// element is missing. A folder that others could read or write, or that is not
// this user's, is refused and left as it is: whoever made it so may have
// been at its files. The error says why there is no cache; going on without
// one, with a nil *Store, is always right.
func Open(dir string, o Options) (*Store, error) {
	root, err := openRoot(dir)
	if err != nil {
		return nil, fmt.Errorf("the cache is off: %w", err)
	}
	return &Store{root, o, maxEntries}, nil
}

// Close gives the folder back.
func (s *Store) Close() error {
	if s == nil {
		return nil
	}
	return s.root.Close()
}

func openRoot(dir string) (*os.Root, error) {
	if err := supported(); err != nil {
		return nil, err
	}
	named, err := os.Lstat(dir)
	if errors.Is(err, fs.ErrNotExist) {
		if err := os.Mkdir(dir, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
			return nil, fmt.Errorf("making the folder %s: %w", dir, cause(err))
		}
		named, err = os.Lstat(dir)
	}
	switch {
	case err != nil:
		return nil, fmt.Errorf("the folder %s: %w", dir, cause(err))
	case named.Mode()&fs.ModeSymlink != 0:
		return nil, fmt.Errorf("%s is a symbolic link; name the folder itself", dir)
	case !named.IsDir():
		return nil, fmt.Errorf("%s is no folder", dir)
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, fmt.Errorf("opening the folder %s: %w", dir, cause(err))
	}
	if err := checkRoot(root, named); err != nil {
		_ = root.Close()
		return nil, fmt.Errorf("the folder %s %w", dir, err)
	}
	return root, nil
}

// checkRoot looks at the folder that was opened: it must be the one that the
// name stood for, and this user's alone.
func checkRoot(root *os.Root, named fs.FileInfo) error {
	opened, err := root.Stat(".")
	switch {
	case err != nil:
		return fmt.Errorf("can't be looked at: %w", cause(err))
	case !os.SameFile(named, opened):
		return errors.New("was replaced while it was opened")
	}
	if err := checkOwner(opened); err != nil {
		return fmt.Errorf("%w; name another one, or make it its user's alone: chmod 0700", err)
	}
	return nil
}

// cause is an error of a file without the operation and the path, which the
// message names in its own words.
func cause(err error) error {
	var path *fs.PathError
	var link *os.LinkError
	switch {
	case errors.As(err, &path):
		return path.Err
	case errors.As(err, &link):
		return link.Err
	}
	return err
}
