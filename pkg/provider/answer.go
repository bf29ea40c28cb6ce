package provider

import (
	"time"

	"ecr-cross-account-credential-provider/pkg/cache"
	"ecr-cross-account-credential-provider/pkg/ecr"
	"ecr-cross-account-credential-provider/pkg/identity"
	"ecr-cross-account-credential-provider/pkg/kubelet"
	"ecr-cross-account-credential-provider/pkg/registry"
	"ecr-cross-account-credential-provider/pkg/rule"
)

// scope is what an answer is good for: the whole registry, or one repository
// where repositories decide.
func scope(decision rule.Decision) kubelet.Scope {
	if decision.PerRepository {
		return kubelet.ForImage
	}
	return kubelet.ForRegistry
}

// answer makes the kubelet's answer of a token.
func (p *Provider) answer(image registry.Image, decision rule.Decision, token cache.Answer) kubelet.Answer {
	if token.Note != "" {
		p.Warn(token.Note)
	}
	key := image.Server()
	if decision.PerRepository {
		key = image.String()
	}
	return kubelet.Answer{
		Scope:    scope(decision),
		Duration: token.Keep.Truncate(time.Second),
		Key:      key,
		Username: token.Username,
		Password: token.Password,
	}
}

// kept is a token for the cache, with its times told from now by AWS's clock. It
// is shortened here, once: if each answer were, a kubelet would come back in ever
// smaller steps.
func kept(now time.Time, token ecr.Token, session identity.Session, random float64) cache.Token {
	return cache.Token{
		Username: token.Username(),
		Password: token.Password(),
		Fresh:    CacheDuration(now, token.Expires(), session.Ends, random),
		Life:     token.Expires().Sub(now),
	}
}

const (
	// maxFallback is how long the node's own identity stands in for a refused
	// role at most: the role may be repaired.
	maxFallback = 5 * time.Minute
	// maxShortening is what margin and jitter take off at most, together.
	maxShortening = 5 * time.Minute
)

// CacheDuration is how long a new token is kept: as long as it is useful, less a
// margin and some chance, random being a number of [0, 1). sessionEnds is zero for
// the node's own identity.
func CacheDuration(now, tokenEnds, sessionEnds time.Time, random float64) time.Duration {
	return shorten(useful(now, tokenEnds, sessionEnds), random)
}

// useful is how long an answer is as good as new: until half of the token's life
// is over, but not past the end of the session that minted it, as it is not
// documented whether a token outlives its session. It is 0 for a token about to
// end, which is used all the same, but not kept.
func useful(now, tokenEnds, sessionEnds time.Time) time.Duration {
	d := tokenEnds.Sub(now) / 2
	if !sessionEnds.IsZero() {
		d = min(d, sessionEnds.Sub(now))
	}
	return max(0, d)
}

// shorten takes a margin off for the answer's way to the kubelet, and up to as
// much again by chance, so that the nodes of a fleet do not come back at the
// same second: together at most a tenth, and at most maxShortening.
func shorten(d time.Duration, random float64) time.Duration {
	margin := min(d/10, maxShortening) / 2
	return (d - margin - time.Duration(random*float64(margin))).Truncate(time.Second)
}
