package provider

import (
	"time"

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
func (p *Provider) answer(now time.Time, image registry.Image, decision rule.Decision, token ecr.Token, session identity.Session, fellBack bool) kubelet.Answer {
	duration := useful(now, token.Expires(), session.Ends)
	if fellBack {
		duration = min(duration, maxFallback)
	}
	key := image.Server()
	if decision.PerRepository {
		key = image.String()
	}
	return kubelet.Answer{
		Scope:    scope(decision),
		Duration: shorten(duration, p.AWS.Random()),
		Key:      key,
		Username: token.Username(),
		Password: token.Password(),
	}
}

const (
	// maxFallback is how long the node's own identity stands in for a refused
	// role at most: the role may be repaired.
	maxFallback = 5 * time.Minute
	// maxShortening is what margin and jitter take off at most, together.
	maxShortening = 5 * time.Minute
)

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
