package provider

import (
	"time"

	"ecr-cross-account-credential-provider/pkg/ecr"
)

const (
	// maxFallback is the longest time for which the node's own identity replaces a
	// refused role. The role may be repaired meanwhile.
	maxFallback = 5 * time.Minute
	// maxShortening is the maximum of margin and jitter together.
	maxShortening = 5 * time.Minute
)

// freshLife returns how long a new token is fresh. life is the token's own life. session
// is the remaining time of the session that requested the token. requested is the
// session's length in the plan. session and requested are 0 for the node's identity,
// whose credentials are renewed.
//
// A token is fresh until half of its life is over, but not past the end of its session:
// no document says whether a token outlives its session. It is also never fresh for
// longer than the requested length, whatever STS's answer says.
func freshLife(life, session, requested time.Duration) time.Duration {
	fresh := life / 2
	if requested > 0 {
		fresh = max(0, min(fresh, session, requested))
	}
	return fresh
}

// Shorten reduces a cache duration by a margin, because the response takes time to
// reach the kubelet. It also subtracts a random time of at most the same length, so
// that a fleet's nodes do not return in the same second. Both together are at most a
// tenth, and at most 5 minutes. random is a number in [0, 1).
//
// Only a new token's lifetime is shortened. If each response were shortened, a
// kubelet would return after ever shorter times.
func Shorten(d time.Duration, random float64) time.Duration {
	margin := min(d/10, maxShortening) / 2
	return (d - margin - time.Duration(random*float64(margin))).Truncate(time.Second)
}

// FreshFor returns how long a new token of 12 hours is fresh if a session of the
// given length requested it. 0 stands for the node's identity.
func FreshFor(session time.Duration) time.Duration {
	return freshLife(ecr.MaxLife, session, session)
}
