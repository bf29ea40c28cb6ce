package cli

import (
	"testing"
	"testing/synctest"
	"time"
)

// TestWithin: within waits for a function that ends in time, and not for one that
// hangs.
func TestWithin(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct{ takes, want time.Duration }{
		"at once":  {0, 0},
		"in time":  {countWithin / 2, countWithin / 2},
		"too late": {time.Hour, countWithin},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				start := time.Now()
				within(countWithin, func() { time.Sleep(test.takes) })
				if got := time.Since(start); got != test.want {
					t.Errorf("waited for %s, want %s", got, test.want)
				}
				time.Sleep(test.takes) // the goroutine must end before the bubble ends
			})
		})
	}
}
