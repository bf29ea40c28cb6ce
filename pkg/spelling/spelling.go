// Package spelling finds the intended word for a misspelt one.
package spelling

import "strings"

// DidYouMean returns the end of a message about an unknown word: "; did you mean
// WORD?". It returns "" if no known word is similar.
func DidYouMean(word string, known []string) string {
	if s, ok := Suggest(word, known); ok {
		return "; did you mean " + s + "?"
	}
	return ""
}

// Suggest returns the known word that is most similar to a misspelt one, and
// reports whether there is one. The two words differ in at most a third of the
// longer word's letters, ignoring case.
func Suggest(word string, known []string) (string, bool) {
	best, least := "", len(word)
	for _, k := range known {
		d := distance(strings.ToLower(word), strings.ToLower(k))
		if d < least && d <= max(len(word), len(k))/3 {
			best, least = k, d
		}
	}
	return best, best != ""
}

// distance returns the number of letters to insert, delete or replace to turn one
// word into the other (Levenshtein's distance).
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost = 1 + min(diagonal, row[j], row[j+1])
			}
			diagonal, row[j+1] = row[j+1], cost
		}
	}
	return row[len(b)]
}
