package token

import (
	"time"

	"ecr-cross-account-credential-provider/cmd/ecr-pull-secrets/internal/target"
	"ecr-cross-account-credential-provider/pkg/cache"
	"ecr-cross-account-credential-provider/pkg/failure"
	"ecr-cross-account-credential-provider/pkg/secret"
)

// entry is the token of one plan. Only Renew changes its fields. All others need
// the Keeper's lock to read them.
type entry struct {
	name    string // for messages: a registry's host, or own
	targets []target.Target

	token   secret.Text // empty if there is none
	expires time.Time   // of the token
	dropped bool        // Renew has noticed that the token has expired
	due     time.Time   // when AWS is asked next

	failing  error // of the latest attempt
	failures int   // in a row
	ended    bool  // this program's own account is known; only in Keeper.own
}

// valid reports whether there is a token that has not expired.
func (e *entry) valid(now time.Time) bool { return !e.token.IsZero() && !passed(e.expires, now) }

// overdue reports whether a new token is due, but AWS has not given one.
func (e *entry) overdue(now time.Time) bool { return e.failing != nil || passed(e.due, now) }

// passed reports whether a time has come, by the monotonic clock or by the wall clock.
// The monotonic clock stops while the machine sleeps, and the wall clock may be set back.
func passed(at, now time.Time) bool { return !at.After(now) || !at.Round(0).After(now.Round(0)) }

// wake returns the time of the next action: to ask AWS, or to notice the token's
// end.
func (e *entry) wake() time.Time {
	if !e.token.IsZero() && !e.dropped && e.expires.Before(e.due) {
		return e.expires
	}
	return e.due
}

// renewed stores a new token, which was requested at begin.
func (e *entry) renewed(t cache.Token, begin time.Time) {
	e.token, e.expires, e.dropped = t.Secret, begin.Add(t.Life), false
	// A token of whenRefused is fresh until its end. Its successor is due while it is still valid.
	e.due = begin.Add(max(min(t.Fresh, t.Life-minRenewal), minRenewal))
	e.failing, e.failures = nil, 0
}

// failed notes that AWS gave no token. The current one stays until its end. The
// namespaces have it already, and only the owner of the images can revoke it.
func (e *entry) failed(err error, now time.Time, random float64) {
	e.failing = err
	class, _ := failure.Of(err)
	e.due = now.Add(retryAfter(class, e.failures, random))
	e.failures++
}

// minRenewal is the shortest time until a new token is due. It matters if AWS gives a
// token that expires soon. Such a token is still better than none.
const minRenewal = time.Minute

// retryAfter returns how long to wait after the nth failure in a row, counted from
// 0. Only a person can repair a refusal or a misconfiguration. For these, AWS is
// asked at most once a minute. The wait doubles each time, and has up to a fifth of
// jitter.
func retryAfter(class failure.Class, n int, random float64) time.Duration {
	shortest, longest := time.Minute, 10*time.Minute
	if class == failure.Unavailable {
		shortest, longest = 10*time.Second, 5*time.Minute
	}
	wait := min(shortest<<min(n, 10), longest)
	return wait + time.Duration(random*float64(wait)/5)
}
