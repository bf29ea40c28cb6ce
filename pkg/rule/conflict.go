package rule

import (
	"fmt"
	"slices"

	"ecr-cross-account-credential-provider/pkg/registry"
)

// Conflict names two entries of equal rank that can both match some image.
type Conflict struct {
	First, Second int // indexes in the list of entries
	What          string
}

// NewSet returns a set of entries, or all conflicts between them.
func NewSet(entries []Entry) (Set, []Conflict) {
	overlaps := overlapsOf(entries)
	scopes := make([]scope, len(entries))
	var conflicts []Conflict
	for j, e := range entries {
		scopes[j] = newScope(e, overlaps)
		for i := range j {
			if what, ok := scopes[i].conflict(&scopes[j]); ok {
				conflicts = append(conflicts, Conflict{i, j, what})
			}
		}
	}
	if len(conflicts) > 0 {
		return Set{}, conflicts
	}
	return Set{entries}, nil
}

// scope holds an entry's accounts, repositories and regions.
type scope [3]words

// words holds the accounts, repositories or regions of one entry. rivals holds the words
// that conflict with them. rivals is a map because NewSet compares each pair of entries.
type words struct {
	list   []string
	rivals map[string]bool
}

// conflict reports whether two entries can both match an image at equal rank, and
// describes such images. Two prefixes of equal length can fit the same repository only
// if they are equal.
func (s *scope) conflict(other *scope) (string, bool) {
	var what [3]string
	for i, w := range s {
		at := slices.IndexFunc(w.list, func(word string) bool { return other[i].rivals[word] })
		if at < 0 {
			return "", false
		}
		what[i] = w.list[at]
	}
	return fmt.Sprintf("account %s, %s, %s", what[0], what[2], what[1]), true
}

func newScope(e Entry, overlaps map[registry.RegionPattern][]string) scope {
	var accounts, prefixes, regions, rivals []string
	if e.Accounts.All {
		accounts = append(accounts, `"*"`)
	}
	if e.Accounts.Own {
		accounts = append(accounts, "own")
	}
	for _, account := range e.Accounts.Named {
		accounts = append(accounts, account.String())
	}
	for _, prefix := range e.Repositories {
		prefixes = append(prefixes, fmt.Sprintf("repositories %q", prefix))
	}
	for _, p := range e.Regions {
		regions, rivals = append(regions, "region "+p.String()), append(rivals, overlaps[p]...)
	}
	if len(prefixes) == 0 {
		prefixes = []string{"any repository"}
	}
	if len(regions) == 0 {
		regions, rivals = []string{"any region"}, []string{"any region"}
	}
	return scope{newWords(accounts, accounts), newWords(prefixes, prefixes), newWords(regions, rivals)}
}

func newWords(list, rivals []string) words {
	w := words{list, make(map[string]bool, len(rivals))}
	for _, rival := range rivals {
		w.rivals[rival] = true
	}
	return w
}

// overlapsOf returns, for each pattern, the patterns that can match the same region
// at equal rank. Entries share many patterns, so each pair is compared only once.
func overlapsOf(entries []Entry) map[registry.RegionPattern][]string {
	overlaps := map[registry.RegionPattern][]string{}
	for _, e := range entries {
		for _, p := range e.Regions {
			overlaps[p] = nil
		}
	}
	for p := range overlaps {
		for q := range overlaps {
			if p.Exact() == q.Exact() && p.Overlaps(q) {
				overlaps[p] = append(overlaps[p], "region "+q.String())
			}
		}
	}
	return overlaps
}
