package registry

import (
	"errors"
	"strings"
)

// maxRepository is the maximum length of a repository's name (Amazon ECR API,
// CreateRepository).
const maxRepository = 256

// cutReference parses the text after the host, repository[:tag][@digest], and
// returns the repository. The grammar is that of OCI references
// (github.com/distribution/reference).
func cutReference(s string) (string, error) {
	name, digest, hasDigest := strings.Cut(s, "@")
	if hasDigest && !isDigest(digest) {
		return "", errors.New("what follows the @ is not a digest")
	}
	repository, tag, hasTag := strings.Cut(name, ":")
	if hasTag && !isTag(tag) {
		return "", errors.New("what follows the colon is not a tag")
	}
	if len(repository) > maxRepository || !isRepository(repository) {
		return "", errors.New("the path is not a repository's name: lower-case letters, digits and . _ - between them, in parts separated by slashes")
	}
	return repository, nil
}

func isRepository(s string) bool {
	for part := range strings.SplitSeq(s, "/") {
		if !isPathComponent(part) {
			return false
		}
	}
	return true
}

// isPathComponent reports whether s consists of runs of lower-case letters and digits.
// One dot, one or two underscores, or any number of dashes separate the runs.
func isPathComponent(s string) bool {
	if s == "" || !isAlphanumeric(s[0]) || !isAlphanumeric(s[len(s)-1]) {
		return false
	}
	for i := 0; i < len(s); {
		end := i
		for end < len(s) && isAlphanumeric(s[end]) == isAlphanumeric(s[i]) {
			end++
		}
		if run := s[i:end]; !isAlphanumeric(run[0]) && !isSeparator(run) {
			return false
		}
		i = end
	}
	return true
}

func isSeparator(s string) bool {
	return s == "." || s == "_" || s == "__" || strings.Trim(s, "-") == ""
}

func isTag(s string) bool {
	if s == "" || len(s) > 128 || s[0] == '.' || s[0] == '-' {
		return false
	}
	for i := range len(s) {
		if c := s[i]; !isWord(c) && c != '.' && c != '-' {
			return false
		}
	}
	return true
}

// isDigest reports whether s is ALGORITHM:HEX with at least 32 hexadecimal digits.
func isDigest(s string) bool {
	algorithm, hex, ok := strings.Cut(s, ":")
	if !ok || algorithm == "" || len(hex) < 32 {
		return false
	}
	for i := range len(algorithm) {
		if c := algorithm[i]; !isWord(c) && !strings.ContainsRune("+.-", rune(c)) {
			return false
		}
	}
	for i := range len(hex) {
		if c := hex[i]; !isDigit(c) && (c < 'a' || c > 'f') && (c < 'A' || c > 'F') {
			return false
		}
	}
	return true
}

func isAlphanumeric(c byte) bool { return isLower(c) || isDigit(c) }
func isWord(c byte) bool         { return isAlphanumeric(c) || 'A' <= c && c <= 'Z' || c == '_' }
