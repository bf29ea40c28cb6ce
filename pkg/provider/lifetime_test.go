package provider

import (
	"testing"
	"time"
)

func TestFreshLife(t *testing.T) {
	t.Parallel()
	const h = time.Hour
	tests := []struct {
		name                      string
		token, session, requested time.Duration
		want                      time.Duration
	}{
		{"the node's own: half of the token's life", 12 * h, 0, 0, 6 * h},
		{"a session that ends before half of the token's life", 12 * h, h, h, h},
		{"a session that ends after half of the token's life", 12 * h, 8 * h, 8 * h, 6 * h},
		{"a session about to end", 12 * h, time.Second, h, time.Second},
		{"a session that is over", 12 * h, -time.Second, h, 0},
		{"a token about to end", time.Second, h, h, time.Second / 2},
		{"a token that is over", 0, h, h, 0},
		{"a session that claims more than was requested", 12 * h, 5*h + 56*time.Minute, h, h},
		{"a session that claims years", 12 * h, 131_405 * h, 12 * h, 6 * h},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			if got := freshLife(test.token, test.session, test.requested); got != test.want {
				t.Errorf("got %v, want %v", got, test.want)
			}
		})
	}
}

// TestShorten: Shorten subtracts at most a tenth of the duration, and at most 5
// minutes.
func TestShorten(t *testing.T) {
	t.Parallel()
	for _, d := range []time.Duration{0, time.Second, time.Minute, 5 * time.Minute, 50 * time.Minute, time.Hour, 6 * time.Hour} {
		most := min(d/10, 5*time.Minute)
		for _, random := range []float64{0, 0.5, 0.999999} {
			got := Shorten(d, random)
			if got > d || got < d-most-time.Second || got < 0 {
				t.Errorf("Shorten(%s, %v) = %s; want at most %s less", d, random, got, most)
			}
		}
		if d >= time.Minute && Shorten(d, 0) == Shorten(d, 0.999999) {
			t.Errorf("Shorten(%s, random) is the same for every random", d)
		}
	}
}

func TestFreshFor(t *testing.T) {
	t.Parallel()
	for session, want := range map[time.Duration]time.Duration{0: 6 * time.Hour, time.Hour: time.Hour, 12 * time.Hour: 6 * time.Hour} {
		if got := FreshFor(session); got != want {
			t.Errorf("FreshFor(%s) = %s, want %s", session, got, want)
		}
	}
}
