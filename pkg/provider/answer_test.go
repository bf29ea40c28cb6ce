package provider

import (
	"testing"
	"time"
)

func TestUseful(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	in := func(d time.Duration) time.Time { return now.Add(d) }
	tests := []struct {
		name           string
		token, session time.Time
		want           time.Duration
	}{
		{"the node's own: half of the token's life", in(12 * time.Hour), time.Time{}, 6 * time.Hour},
		{"a session that ends before", in(12 * time.Hour), in(time.Hour), time.Hour},
		{"a session that ends after", in(12 * time.Hour), in(8 * time.Hour), 6 * time.Hour},
		{"a session about to end", in(12 * time.Hour), in(time.Second), time.Second},
		{"a session over", in(12 * time.Hour), in(-time.Second), 0},
		{"a token about to end", in(time.Second), in(time.Hour), time.Second / 2},
		{"a token over", in(-time.Second), in(time.Hour), 0},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			if got := useful(now, test.token, test.session); got != test.want {
				t.Errorf("got %s, want %s", got, test.want)
			}
		})
	}
}

// TestShorten: margin and jitter only shorten, together by at most a tenth and
// 5 min.
func TestShorten(t *testing.T) {
	t.Parallel()
	for _, d := range []time.Duration{0, time.Second, time.Minute, 5 * time.Minute, 50 * time.Minute, time.Hour, 6 * time.Hour} {
		most := min(d/10, 5*time.Minute)
		for _, random := range []float64{0, 0.5, 0.999999} {
			got := shorten(d, random)
			if got > d || got < d-most-time.Second || got < 0 {
				t.Errorf("shorten(%s, %v) = %s, want %s less at most", d, random, got, most)
			}
		}
		if d >= time.Minute && shorten(d, 0) == shorten(d, 0.999999) {
			t.Errorf("chance has no say in %s", d)
		}
	}
}
