package config

import "strings"

// suggest finds the known word that a misspelt one was most likely to be: one
// that differs by at most a third of the longer one's letters, whatever their
// case.
func suggest(word string, known []string) (string, bool) {
	best, least := "", len(word)
	for _, k := range known {
		d := distance(strings.ToLower(word), strings.ToLower(k))
		if d < least && d <= max(len(word), len(k))/3 {
			best, least = k, d
		}
	}
	return best, best != ""
}

// distance is the number of letters to insert, delete or replace between two
// words (Levenshtein's).
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
