package registry

import (
	"regexp"
	"strings"
	"testing"
	"time"
)

// TestOverlapOfAllShortGlobs compares overlap with its definition, "some string
// matches both", for every pair of globs of up to three characters.
func TestOverlapOfAllShortGlobs(t *testing.T) {
	t.Parallel()
	globs := words("ab*", 3)
	// If two globs of three characters overlap, a string of at most six matches
	// both.
	strs := words("ab", 6)
	matches := make(map[string]map[string]bool, len(globs))
	for _, glob := range globs {
		model := globModel(glob)
		matches[glob] = map[string]bool{}
		for _, s := range strs {
			if want := model.MatchString(s); want {
				matches[glob][s] = true
			}
			if overlap(glob, s) != matches[glob][s] {
				t.Errorf("overlap(%q, %q) = %t, want %t", glob, s, !matches[glob][s], matches[glob][s])
			}
		}
	}
	for _, a := range globs {
		for _, b := range globs {
			want := false
			for s := range matches[a] {
				want = want || matches[b][s]
			}
			if overlap(a, b) != want {
				t.Errorf("overlap(%q, %q) = %t, want %t", a, b, !want, want)
			}
		}
	}
}

// TestOverlapIsNotSlow uses globs for which a matcher with backtracking would run
// for centuries.
func TestOverlapIsNotSlow(t *testing.T) {
	t.Parallel()
	a, b := strings.Repeat("a*", 300), strings.Repeat("*a", 300)+"b"
	done := make(chan bool, 1)
	go func() { done <- overlap(a, b) }()
	select {
	case got := <-done:
		if !got {
			t.Error("got false, want true: aaa…b matches both")
		}
	case <-time.After(time.Minute):
		t.Fatal("overlap runs longer than a minute")
	}
}

// globModel returns a glob as a regular expression.
func globModel(glob string) *regexp.Regexp {
	return regexp.MustCompile("^" + strings.ReplaceAll(regexp.QuoteMeta(glob), `\*`, ".*") + "$")
}

// words returns all words over an alphabet, up to the given number of letters.
func words(alphabet string, most int) []string {
	all, last := []string{""}, []string{""}
	for range most {
		var next []string
		for _, word := range last {
			for _, letter := range alphabet {
				next = append(next, word+string(letter))
			}
		}
		all, last = append(all, next...), next
	}
	return all
}
