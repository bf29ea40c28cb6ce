package cache

import (
	"cmp"
	"slices"
	"strings"
	"time"
)

const (
	// maxEntries bounds the cache: whoever creates pods chooses accounts and
	// regions, and so can have many refusals remembered.
	maxEntries = 512
	// leftover is the age from which on a file that has no entry was left by a
	// process that is no more.
	leftover = time.Minute
)

// prune makes room after a new key was written: what was left behind goes, and
// when there are too many entries, first the useless ones, then refusals, then
// the oldest tokens; a refusal that is lost costs a call, but a token may be
// all that a node has in an outage.
func (s *Store) prune(just Key) {
	keys, beside, err := s.names()
	if err != nil {
		return // the next new key will do
	}
	if excess := len(keys) - s.most; excess > 0 {
		candidates := s.candidates(keys, just)
		for _, c := range candidates[:min(excess, len(candidates))] {
			_ = s.root.RemoveAll(c.key.String())
			keys = slices.DeleteFunc(keys, func(k Key) bool { return k == c.key })
		}
	}
	s.sweep(keys, beside)
}

// candidate is an entry that may have to go.
type candidate struct {
	key     Key
	rank    int
	learned time.Time
}

// candidates are all entries but one, those that are missed least first.
func (s *Store) candidates(keys []Key, just Key) []candidate {
	now := s.o.Now()
	var list []candidate
	for _, key := range keys {
		if key == just {
			continue
		}
		switch r, _ := s.read(key); {
		case r == nil || r.dead(now):
			list = append(list, candidate{key: key})
		case r.alive(now) || r.Fact != nil:
			list = append(list, candidate{key, 2, r.Learned})
		default:
			list = append(list, candidate{key, 1, r.Learned})
		}
	}
	slices.SortFunc(list, func(a, b candidate) int {
		return cmp.Or(cmp.Compare(a.rank, b.rank), a.learned.Compare(b.learned))
	})
	return list
}

// sweep removes files that stand beside no entry, and entries that never got to
// their place, unless they are so young that somebody may be at work with them.
func (s *Store) sweep(keys []Key, beside []string) {
	there := make(map[string]bool, len(keys))
	for _, key := range keys {
		there[key.String()] = true
	}
	for _, name := range beside {
		entry, _, _ := strings.Cut(name, ".")
		if there[entry] && !strings.HasSuffix(name, tempSuffix) {
			continue
		}
		info, err := s.root.Lstat(name)
		if err == nil && s.o.Now().Sub(info.ModTime()).Abs() > leftover {
			_ = s.root.RemoveAll(name)
		}
	}
}
