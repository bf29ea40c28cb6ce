package doctor

import (
	"os"
	"regexp"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestPage: the page of the documentation has every check, in the order of the codes.
func TestPage(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../../config-examples/DOCTOR.md")
	if err != nil {
		t.Fatal(err)
	}
	var documented, want [][3]string
	for _, row := range regexp.MustCompile(`(?m)^\| (D\d\d)(\*?) \| ([^|]+) \|`).FindAllStringSubmatch(string(text), -1) {
		documented = append(documented, [3]string(row[1:]))
	}
	for _, kind := range kinds {
		mark := ""
		if kind.PerImage {
			mark = "*"
		}
		want = append(want, [3]string{kind.Code, mark, kind.Title})
	}
	if diff := cmp.Diff(want, documented); diff != "" {
		t.Error(diff)
	}
}
