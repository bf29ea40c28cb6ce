package test

import (
	"math"
	"os"
	"strconv"
	"strings"
	"testing"
)

// These are the columns of the page's tables about the program's cost.
const ours, cronJob = 1, 2

// figure compares a measured number with the number in a row of the page. They may
// differ by the given part of the page's number: 0.05 allows 5 %.
func figure(t *testing.T, row string, column int, measured, part float64) {
	t.Helper()
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		cells := strings.Split(line, "|")
		if len(cells) < 3+column || strings.TrimSpace(cells[1]) != row {
			continue
		}
		said, err := strconv.ParseFloat(strings.ReplaceAll(strings.TrimSpace(cells[1+column]), ",", ""), 64)
		if err != nil {
			t.Fatalf("%s: row %q: %v", page, row, err)
		}
		t.Logf("%s: %.1f (%s says %v)", row, measured, page, said)
		if math.Abs(measured-said) > part*said {
			t.Errorf("%s: got %.1f, want about %v, as %s says", row, measured, said, page)
		}
		return
	}
	t.Errorf("got no row %q in %s, want one", row, page)
}
