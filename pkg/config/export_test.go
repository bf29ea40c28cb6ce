package config

import "ecr-cross-account-credential-provider/pkg/rule"

// Entries returns the entries of a file. The file must have no problems.
func Entries(file string) []rule.Entry {
	r := &report{file: file, lines: map[string]int{}, bad: map[string]bool{}, patterns: map[string]bool{}}
	return r.read(new(Config), Source{Path: file})
}
