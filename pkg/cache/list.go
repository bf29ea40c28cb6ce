package cache

import (
	"cmp"
	"fmt"
	"slices"
	"time"
)

// Info describes an entry, without its token.
type Info struct {
	Request
	// State is "fresh" or "stale" for a token that AWS accepts, "refused" or
	// "failed" if there is only an error, and "" for a file with a problem.
	State string
	// FreshUntil and Expires are the token's times, or zero if there is no token.
	FreshUntil, Expires time.Time
	// Reason is the last error, if there is one. Again is the time when AWS may be
	// asked again.
	Reason string
	Again  time.Time
	// Asked is the time of the last call to AWS, which may have failed.
	Asked time.Time
	// Age is the time since the mint of the token, or since the error.
	Age time.Duration
	// Note is the warning at each use of the token.
	Note string
	// Problem says why the file is not used.
	Problem string
	// Used is the time when a request last got the token. Zero means never.
	Used time.Time
	// Ahead says that the token follows from the configuration alone.
	Ahead bool
}

// usedWithin is how recently a request must have used a token for the node to need it
// still.
const usedWithin = 24 * time.Hour

// InUse reports whether a request has used the token within a day.
func (i Info) InUse(now time.Time) bool { return now.Sub(i.Used) < usedWithin }

// Renewed reports whether refresh renews the token.
func (i Info) Renewed(now time.Time) bool { return i.Renewable && (i.Ahead || i.InUse(now)) }

// List returns all useful entries and the files that cannot be read. They are
// sorted by registry and identity.
func (s *Store) List() ([]Info, error) {
	if s == nil {
		return nil, nil
	}
	keys, _, err := s.files()
	if err != nil {
		return nil, fmt.Errorf("listing the cache: %w", err)
	}
	var list []Info
	now := s.now()
	for _, key := range keys { // sorted, because fs.ReadDir sorts
		switch e, err := s.read(key, now); {
		case err != nil:
			list = append(list, Info{Request: e.Request, Problem: err.Error()})
		case e.worth(now.wall) > 0:
			list = append(list, e.info(now.wall))
		}
	}
	slices.SortStableFunc(list, func(a, b Info) int {
		return cmp.Or(cmp.Compare(a.Registry, b.Registry), cmp.Compare(a.Identity, b.Identity))
	})
	return list, nil
}

func (e entry) info(now time.Time) Info {
	i := Info{Request: e.Request, Used: e.Requested, Ahead: e.Ahead, Asked: e.Learned}
	if e.Used.After(neverUsed) && e.Used.After(e.Requested) {
		i.Used = e.Used
	}
	began := e.Learned
	if e.Failure != nil {
		i.State, i.Reason, i.Again = e.Failure.verb(), e.Failure.Reason, e.askAgain()
	}
	if e.valid(now) {
		i.State, began = "stale", e.Minted
		i.FreshUntil, i.Expires, i.Note = e.freshUntil(), e.expires(), e.Token.Note
		i.Identity = cmp.Or(e.Token.Identity, i.Identity)
	}
	if e.fresh(now) {
		i.State = "fresh"
	}
	i.Age = max(0, now.Sub(began))
	return i
}
