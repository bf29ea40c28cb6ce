package awsapi

import (
	"net/http"
	"time"
)

// The node's own clock may be wrong (no NTP), and the Date headers of AWS's answers
// too (a proxy that writes its own). Two rules follow.
//
//   - A life is the shorter of both views: a Date in the past must not make an old
//     token look valid to the processes that later read it from the cache, which
//     know only the node's clock.
//   - Something has expired only if both views say so: one wrong clock does not fail
//     a pull. Such a token may be used but not kept: its life is 0.

// skewThreshold is a difference that neither whole seconds nor the time of a round
// trip explain.
const skewThreshold = 5 * time.Second

// observe takes the time from an answer's Date.
func (a *API) observe(header http.Header) {
	date, err := http.ParseTime(header.Get("Date"))
	if err != nil {
		return
	}
	skew := date.Sub(a.Now())
	if skew.Abs() < skewThreshold {
		skew = 0
	}
	a.skew.Store(int64(skew))
}

// Now returns the time by the node's clock.
func (a *API) Now() time.Time { return a.options.Now() }

// Skew returns how far AWS's clock is ahead of the node's, as far as the Date
// headers of its answers tell; 0 if they agree.
func (a *API) Skew() time.Duration { return time.Duration(a.skew.Load()) }

// Expired reports whether a time is over, by the node's clock and by AWS's.
func (a *API) Expired(t time.Time) bool {
	byNode := t.Sub(a.Now())
	return max(byNode, byNode-a.Skew()) <= 0
}

// Remaining returns how long something lives that expires at t: the shorter of
// what the node's clock and AWS's say, and at least 0. Add it to Now to get the
// time at which it expires by the node's clock.
func (a *API) Remaining(t time.Time) time.Duration {
	byNode := t.Sub(a.Now())
	return max(0, min(byNode, byNode-a.Skew()))
}
