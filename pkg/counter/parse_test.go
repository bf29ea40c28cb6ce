package counter

import (
	"os"
	"testing"
	"time"
)

// TestUnknownOutcome: a record of a later version, with an outcome that this version does
// not know, is not counted.
func TestUnknownOutcome(t *testing.T) {
	t.Parallel()
	root, err := os.OpenRoot(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close() //nolint:errcheck // nothing was written to the directory itself
	for _, o := range []Outcome{outcomes, Minted} {
		if err := Add(root, o, time.Second); err != nil {
			t.Fatal(err)
		}
	}
	totals, err := Read(root)
	if err != nil || totals.Count() != 1 || totals.Requests[Minted] != 1 {
		t.Errorf("got %+v, %v, want one request, minted", totals, err)
	}
}
