package readme_test

import (
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"
)

// These are the limits of README.md: the number of lines, and the width of a terminal.
const maxLines, maxColumns = 200, 110

// TestSize: README.md stays short. The addresses of links do not count.
func TestSize(t *testing.T) {
	t.Parallel()
	address := regexp.MustCompile(`\]\([^)]*\)`)
	lines := strings.Split(strings.TrimSuffix(readPage(t, "README.md").text, "\n"), "\n")
	if len(lines) > maxLines {
		t.Errorf("README.md has %d lines, want at most %d", len(lines), maxLines)
	}
	for i, line := range lines {
		if n := utf8.RuneCountInString(address.ReplaceAllString(line, "]")); n > maxColumns {
			t.Errorf("README.md:%d has %d columns, want at most %d", i+1, n, maxColumns)
		}
	}
}

// TestCells: cells of tables have few words. A longer text belongs in a section.
func TestCells(t *testing.T) {
	t.Parallel()
	const most = 25
	for _, p := range pages(t) {
		if strings.HasPrefix(p.name, "test/") {
			continue
		}
		for i, line := range strings.Split(p.text, "\n") {
			generatedKey := strings.HasPrefix(line, "| `") || strings.HasPrefix(line, "| **`")
			if !strings.HasPrefix(line, "| ") || generatedKey {
				continue
			}
			for cell := range strings.SplitSeq(line, " | ") {
				if n := len(strings.Fields(cell)); n > most {
					t.Errorf("%s:%d has a cell of %d words: %s", p.name, i+1, n, cell)
				}
			}
		}
	}
}
