package cache

import (
	"cmp"
	"fmt"
	"slices"
	"time"
)

// Info is what there is to say of an entry; never its token.
type Info struct {
	// File is the entry's name in the folder.
	File string
	// Registry and Identity are those of the request. A fact has none.
	Registry, Identity string
	// Age is how long ago the entry was learned.
	Age time.Duration
	// FreshUntil and Expires are the token's; zero where there is none.
	FreshUntil, Expires time.Time
	// Note is what is said whenever the token is used.
	Note string
	// Failure is the latest error, if AWS was refusing or unavailable, and Again
	// when it is asked again. Refused tells the one from the other.
	Failure string
	Refused bool
	Again   time.Time
	// Fact is what was noted of the node, and good until Expires.
	Fact string
	// Problem is why the file is not used.
	Problem string
}

// List is all that is in the cache, sorted by registry and identity.
func (s *Store) List() ([]Info, error) {
	if s == nil {
		return nil, nil
	}
	keys, _, err := s.names()
	if err != nil {
		return nil, fmt.Errorf("listing the cache: %w", err)
	}
	var list []Info
	for _, key := range keys {
		r, err := s.read(key)
		switch {
		case err != nil:
			list = append(list, Info{File: key.String(), Problem: err.Error()})
		case r != nil: // else it went while the others were read
			list = append(list, r.info(s.o.Now()))
		}
	}
	slices.SortFunc(list, func(a, b Info) int {
		return cmp.Or(cmp.Compare(a.Registry, b.Registry), cmp.Compare(a.Identity, b.Identity), cmp.Compare(a.File, b.File))
	})
	return list, nil
}

func (r *record) info(now time.Time) Info {
	i := Info{File: r.Key, Registry: r.Registry, Identity: r.Identity, Age: max(0, now.Sub(r.Learned))}
	if r.Token != nil {
		i.FreshUntil, i.Expires, i.Note = r.Token.FreshUntil, r.Token.Expires, r.Token.Note
		i.Age = max(0, now.Sub(r.Token.Minted))
	}
	if r.Failure != nil {
		i.Failure, i.Refused, i.Again = r.Failure.Reason, r.Failure.Verdict == Remember, r.Failure.Until
	}
	if r.Fact != nil {
		i.Fact, i.Expires = r.Fact.Value, r.Fact.Until
	}
	return i
}

// Clear removes all that is in the cache, and says how many entries that were.
// Files that are not the cache's stay.
func (s *Store) Clear() (int, error) {
	if s == nil {
		return 0, nil
	}
	keys, beside, err := s.names()
	if err != nil {
		return 0, fmt.Errorf("clearing the cache: %w", err)
	}
	var removed int
	for _, key := range keys {
		// A folder may have taken an entry's place.
		if failed := s.root.RemoveAll(key.String()); failed != nil {
			err = fmt.Errorf("clearing the cache: %s: %w", key, cause(failed))
			continue
		}
		removed++
	}
	for _, name := range beside {
		if failed := s.root.RemoveAll(name); failed != nil {
			err = fmt.Errorf("clearing the cache: %s: %w", name, cause(failed))
		}
	}
	return removed, err
}
