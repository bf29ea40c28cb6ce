package cache

import (
	"cmp"
	"fmt"
	"time"

	"ecr-cross-account-credential-provider/pkg/failure"
	"ecr-cross-account-credential-provider/pkg/printable"
)

// These constants limit what the cache remembers, and for how long.
const (
	// staleKeep limits how long the caller may keep a stale token.
	staleKeep = 5 * time.Minute
	// stalePause is the time after a failure in which a stale token is served and
	// no process asks again. It varies by a fifth, so the nodes of a fleet do not
	// return in the same second.
	stalePause = time.Minute
	// The cache remembers a refusal or a misconfiguration for firstRefusal. It
	// remembers each further one in a row for twice as long, up to lastRefusal.
	firstRefusal = time.Minute
	lastRefusal  = 5 * time.Minute
	// When the memory of a refusal ends, refusalStreak begins. A refusal within
	// this time still counts as the next in a row. The kubelet retries every 5
	// minutes.
	refusalStreak = 10 * time.Minute
	// If there is no stale token, the cache remembers a failure for a time between
	// firstFailure and lastFailure. That is long enough for the processes that wait at
	// that moment.
	firstFailure = time.Second
	lastFailure  = 5 * time.Second
	// maxText limits the text of an error or a note in an entry.
	maxText = 4 << 10
)

// FailureMemory returns how long the cache remembers a failure without a stale
// token. random is a number in [0, 1).
func FailureMemory(random float64) time.Duration {
	return firstFailure + time.Duration(random*float64(lastFailure-firstFailure))
}

// entry is what the cache knows about a key: a token, an error, or both. The zero
// value stands for a missing entry.
type entry struct {
	Request
	// Learned is the time of the last call to AWS, by the wall clock. The call may
	// have failed. Uptime and Boot are the same moment by the boot clock.
	Learned time.Time     `json:"learned"`
	Uptime  time.Duration `json:"uptime,omitempty"`
	Boot    string        `json:"boot,omitempty"`
	Token   *Token        `json:"token,omitempty"`
	Minted  time.Time     `json:"minted,omitzero"` // when the token was minted
	// Failure is the latest outcome if that was an error. Streak is the number of
	// refusals and misconfigurations in a row.
	Failure *RememberedError `json:"failure,omitempty"`
	Streak  uint             `json:"streak,omitempty"`
	// Requested is the time when a request last caused a mint.
	Requested time.Time `json:"requested,omitzero"`
	// Ahead marks an entry that follows from the configuration alone, without a
	// pod. Pruning keeps it as long as its token is valid.
	Ahead bool `json:"ahead,omitempty"`
	// Used is the time when the entry was last served.
	Used time.Time `json:"-"`
}

func (e entry) expires() time.Time    { return e.Minted.Add(e.Token.Life) }
func (e entry) freshUntil() time.Time { return e.Minted.Add(e.Token.Fresh) }
func (e entry) askAgain() time.Time   { return e.Learned.Add(e.Failure.Again) }

// valid reports whether there is a token that AWS still accepts.
func (e entry) valid(now time.Time) bool { return e.Token != nil && now.Before(e.expires()) }

// keepable reports whether there is a token worth keeping.
func (e entry) keepable(now time.Time) bool { return e.valid(now) && !e.Token.Secret.IsZero() }

// fresh reports whether there is a token as good as a new one.
func (e entry) fresh(now time.Time) bool { return e.valid(now) && now.Before(e.freshUntil()) }

// refused reports whether AWS's latest answer was a refusal.
func (e entry) refused() bool { return e.Failure != nil && e.Failure.Class == failure.Refused }

// inStreak reports whether an error at this time would continue the streak.
func (e entry) inStreak(now time.Time) bool {
	return e.Failure != nil && !now.After(e.askAgain().Add(refusalStreak))
}

// worth returns how important it is to keep an entry. A lost error costs one call,
// but a node may depend on a token in an outage. While its token is valid, an entry
// that follows from the configuration alone outranks every entry that a pod caused.
func (e entry) worth(now time.Time) int {
	switch {
	case e.Ahead && e.valid(now):
		return 3
	case e.valid(now):
		return 2
	case e.inStreak(now):
		return 1
	}
	return 0
}

// decision is what a request does with an entry.
type decision int

const (
	ask   decision = iota // ask AWS
	serve                 // use the token
	stale                 // use the token, although it is no longer fresh
	fail                  // repeat the error
)

// decide returns what a request does with an entry. since is the time when the
// request began. An outcome that is newer than the request settles it, even if the
// outcome no longer counts for later requests. So a burst of processes shares one
// call.
func (e entry) decide(now, since time.Time) decision {
	learnedSince := !e.Learned.Before(since)
	switch {
	case e.fresh(now):
		return serve
	case e.Failure != nil && (learnedSince || now.Before(e.askAgain())):
		if e.valid(now) {
			return stale
		}
		return fail
	case e.valid(now) && learnedSince:
		return serve
	}
	return ask
}

// minted returns the entry of a new token.
func minted(r Request, t Token, at time.Time) entry {
	t.Note = printable.Line(t.Note, maxText)
	return entry{Request: r, Token: &t, Minted: at}
}

// after returns the entry that follows from an error. A refusal drops the token.
// After any other error, a valid token stays. random is a number in [0, 1).
func (e entry) after(class failure.Class, why error, random float64, now time.Time) entry {
	if class == failure.Refused || !e.valid(now) {
		e.Token, e.Minted = nil, time.Time{}
	}
	if !e.inStreak(now) {
		e.Streak = 0
	}
	var again time.Duration
	switch {
	case class != failure.Unavailable:
		again = min(firstRefusal<<min(e.Streak, 8), lastRefusal) // limits the shift, so nothing overflows
		e.Streak++
	case e.Token != nil:
		again = stalePause*4/5 + time.Duration(random*float64(stalePause*2/5))
	default:
		again = FailureMemory(random)
	}
	e.Learned, e.Failure = now, &RememberedError{Reason: text(why), Class: class, Again: again}
	return e
}

// remembered returns the entry's error with its times relative to now.
func (e entry) remembered(now time.Time) *RememberedError {
	err := *e.Failure
	err.Age = max(0, now.Sub(e.Learned))
	err.Again = max(0, err.Again-err.Age)
	return &err
}

// lease returns the token for use now. The caller may keep it until the given time,
// but never past the token's end.
func (e entry) lease(o Outcome, now, until time.Time) Lease {
	if end := e.expires(); end.Before(until) {
		until = end
	}
	return Lease{
		Secret:   e.Token.Secret,
		Outcome:  o,
		Keep:     max(0, until.Sub(now)),
		Identity: cmp.Or(e.Token.Identity, e.Identity),
		Note:     e.Token.Note,
	}
}

// serveStale returns a token that is no longer fresh, and says why.
func (e entry) serveStale(now time.Time, why error) Lease {
	l := e.lease(Stale, now, now.Add(staleKeep))
	l.Note = fmt.Sprintf("using the token of %s ago for registry %s, valid for another %s, because there is no new one: %s",
		seconds(now.Sub(e.Minted)), e.Registry, seconds(e.expires().Sub(now)), text(why))
	if e.Token.Note != "" {
		l.Note += "; " + e.Token.Note
	}
	return l
}

// text returns the text of an error, shortened for an entry.
func text(err error) string { return printable.Line(err.Error(), maxText) }
