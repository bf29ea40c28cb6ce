package cli

import (
	"cmp"
	"time"

	"ecr-cross-account-credential-provider/pkg/cache"
)

// cached is an entry of the cache in the JSON form of cache list. The names of its
// fields are stable. There is no token in it.
type cached struct {
	Key        string    `json:"key"` // the name of the entry's file
	Registry   string    `json:"registry"`
	Identity   string    `json:"identity"`
	State      string    `json:"state"` // empty: the file is not used
	Expires    time.Time `json:"expires,omitzero"`
	FreshUntil time.Time `json:"freshUntil,omitzero"`
	Reason     string    `json:"reason,omitempty"` // the last error, or why the file is not used
}

func listJSON(p Process, entries []cache.Info) error {
	list := make([]cached, len(entries)) // not nil, because JSON shows a nil list as null
	for i, e := range entries {
		list[i] = cached{e.Key.String(), e.Registry, e.Identity, e.State, e.Expires.UTC(), e.FreshUntil.UTC(), cmp.Or(e.Reason, e.Problem)}
	}
	return p.WriteJSON(list)
}
