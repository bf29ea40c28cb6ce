package awsapi

import (
	"net/http"
	"time"
)

// The node's own clock may be wrong (no NTP). The Date headers of AWS's answers may
// be wrong too (a proxy may write its own). Two rules follow.
//
//   - A token has a life by each clock, and the shorter life counts. Otherwise a Date
//     in the past could make an old token look valid to processes that later read it
//     from the cache: they know only the node's clock.
//   - Something has expired only if both clocks say so, so one wrong clock does not
//     fail a pull. If only one clock says that a token has expired, the token may be
//     used but not kept: its life is 0.

// skewThreshold is the smallest difference of the clocks that counts. Rounding to
// seconds and the time of a round trip explain smaller differences.
const skewThreshold = 5 * time.Second

// observe derives the skew from an answer's Date header.
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

// Now returns the time of the node's clock.
func (a *API) Now() time.Time { return a.options.Now() }

// Skew returns how far AWS's clock is ahead of the node's, by the Date headers of
// AWS's answers. It returns 0 if they agree.
func (a *API) Skew() time.Duration { return time.Duration(a.skew.Load()) }

// Expired reports whether a time is past, by both the node's clock and AWS's.
func (a *API) Expired(t time.Time) bool {
	byNode := t.Sub(a.Now())
	return max(byNode, byNode-a.Skew()) <= 0
}

// Remaining returns the time until t by the node's clock or by AWS's, whichever is
// shorter. It is never below 0. Now plus Remaining is the time of expiry by the
// node's clock.
func (a *API) Remaining(t time.Time) time.Duration {
	byNode := t.Sub(a.Now())
	return max(0, min(byNode, byNode-a.Skew()))
}
