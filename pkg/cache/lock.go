package cache

import (
	"fmt"
	"os"
	"time"
)

// lanes are the suffixes of a key's lock files. When a holder of the first has
// broken its promise, one of those who wait asks in its place, by the second.
var lanes = [...]string{".lock", ".lock2"}

// lock is a file that the process that asks holds. It is never the entry's own,
// which is replaced while the lock is held. In it is the holder's promise: until
// when there will be an outcome.
type lock struct {
	file  *os.File
	store *Store
	name  string
}

// openLock opens a lock's file. One that is not as it must be is removed once.
func (s *Store) openLock(key Key, lane int) (*lock, error) {
	name := key.String() + lanes[lane]
	file, err := s.open(name, os.O_RDWR|os.O_CREATE)
	if err != nil && s.root.Remove(name) == nil {
		file, err = s.open(name, os.O_RDWR|os.O_CREATE)
	}
	if err != nil {
		return nil, err
	}
	return &lock{file, s, name}, nil
}

func (l *lock) try() (bool, error) { return tryLock(l.file) }

// promiseLayout has the same length at all times, so that one promise is
// written over another.
const promiseLayout = "2006-01-02T15:04:05.000Z"

// promise notes until when the holder will have an outcome.
func (l *lock) promise(until time.Time) error {
	_, err := l.file.WriteAt([]byte(until.UTC().Format(promiseLayout)), 0)
	if err != nil {
		return fmt.Errorf("it can't be written: %w", cause(err))
	}
	return nil
}

// promised is until when the holder will have an outcome, if it has said so.
func (l *lock) promised() (time.Time, bool) {
	var text [len(promiseLayout)]byte
	if _, err := l.file.ReadAt(text[:], 0); err != nil {
		return time.Time{}, false
	}
	until, err := time.Parse(promiseLayout, string(text[:]))
	return until, err == nil
}

const (
	// grace is how long a holder has to note its promise; before it does, an
	// earlier one may stand there.
	grace = 500 * time.Millisecond
	// maxPromise bounds a promise that a clock gone wrong has made.
	maxPromise = time.Minute
)

// until is how long to wait for a holder that was first met at a time.
func (l *lock) until(met time.Time) time.Time {
	until, _ := l.promised()
	if earliest := met.Add(grace); until.Before(earliest) {
		return earliest
	}
	if latest := met.Add(maxPromise); until.After(latest) {
		return latest
	}
	return until
}

// withdraw tells those who wait that there is no outcome that is theirs, too,
// and that they need not come one after another: it takes the promise away.
func (l *lock) withdraw() {
	if l == nil {
		return
	}
	_ = l.file.Truncate(0)
	_ = l.store.root.Remove(l.name)
}

// release gives the lock back.
func (l *lock) release() {
	if l != nil {
		_ = l.file.Close()
	}
}
