package main

import (
	"time"

	"ecr-cross-account-credential-provider/pkg/awsapi"
	"ecr-cross-account-credential-provider/pkg/cache"
	"ecr-cross-account-credential-provider/pkg/config"
	"ecr-cross-account-credential-provider/pkg/provider"
)

// policy is how a plugin calls AWS. random is always a number in [0, 1).
type policy struct {
	name string
	// shared means that the processes of a node share an outcome, whether it is a token
	// or a failure.
	shared bool
	// attempts is the largest number of attempts of one call.
	attempts int
	// backoff returns the wait after the nth attempt was throttled.
	backoff func(n int, random float64) time.Duration
	// deadline limits the time of a process.
	deadline time.Duration
	// keep returns how long a kubelet may keep a new token.
	keep func(random float64) time.Duration
	// failure returns how long the cache remembers that AWS was unavailable.
	failure func(random float64) time.Duration
	// refresh means that a timer replaces tokens before pods need them.
	refresh bool
	// spread is the time within which the fleet boots.
	spread time.Duration
}

const (
	tokenLife    = 12 * time.Hour
	shortSession = time.Hour      // the default, and the most that role chaining allows
	longSession  = 12 * time.Hour // the most that a role may allow
)

// ours returns this plugin's policy, from its own code. session is the duration of the
// roles' sessions.
func ours(name string, session time.Duration) policy {
	return policy{
		name:     name,
		shared:   true,
		attempts: awsapi.MaxAttempts,
		backoff:  func(n int, random float64) time.Duration { return awsapi.Backoff(n, true, random) },
		deadline: config.DefaultDeadline,
		keep:     func(random float64) time.Duration { return provider.Shorten(provider.FreshFor(session), random) },
		failure:  cache.FailureMemory,
		spread:   bootWithin,
	}
}

// naive returns the policy of a plugin without a cache. A process for each image asks
// AWS itself. It has the SDK's standard retries (aws/retry): three attempts. After the
// nth, it waits for a random part of 2^n s. It has no deadline except the kubelet's own.
// It keeps an answer for exactly half of the token's life.
func naive() policy {
	return policy{
		name:     "no cache, no jitter",
		attempts: 3,
		backoff: func(n int, random float64) time.Duration {
			return min(20*time.Second, time.Duration(random*float64(time.Second<<n)))
		},
		deadline: time.Minute,
		keep:     func(float64) time.Duration { return tokenLife / 2 },
		spread:   bootWithin,
	}
}

// refreshed returns the policy of this plugin with its timer.
func refreshed() policy {
	p := ours("this plugin, refresh", shortSession)
	p.refresh = true
	return p
}

// spread returns the policy of refreshed for a fleet that boots within a longer time.
func spread() policy {
	p := refreshed()
	p.name, p.spread = "this plugin, refresh, boot spread over 10 min", spreadWithin
	return p
}

// policies returns the policies to compare. The plot shows the first and the last one.
func policies() []policy {
	return []policy{ours("this plugin", shortSession), ours("this plugin, duration: 12h", longSession), refreshed(), naive()}
}
