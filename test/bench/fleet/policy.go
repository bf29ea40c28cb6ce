package main

import (
	"time"

	"ecr-cross-account-credential-provider/pkg/awsapi"
	"ecr-cross-account-credential-provider/pkg/cache"
	"ecr-cross-account-credential-provider/pkg/config"
	"ecr-cross-account-credential-provider/pkg/provider"
)

// policy is how a plugin treats AWS. random is always a number of [0, 1).
type policy struct {
	name string
	// shared: the processes of a node share what one of them gets, good or bad.
	shared bool
	// attempts is how often one call is made at most.
	attempts int
	// backoff is how long to wait after the nth attempt was throttled.
	backoff func(n int, random float64) time.Duration
	// deadline is how long a process tries at most.
	deadline time.Duration
	// keep is how long a kubelet may keep a token that it got just now.
	keep func(random float64) time.Duration
	// failure is how long it is remembered that AWS was unavailable.
	failure func(random float64) time.Duration
	// refresh: a timer replaces tokens before pods need them.
	refresh bool
	// spread is the time within which the fleet boots.
	spread time.Duration
}

const (
	tokenLife    = 12 * time.Hour
	shortSession = time.Hour      // the default, and the most that role chaining allows
	longSession  = 12 * time.Hour // the most that a role may allow
)

// ours is this plugin's, by its own code, with roles whose sessions last for a
// time.
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

// naive is a process for each image that asks for itself, as a plugin without a
// cache does: with the SDK's standard retries (aws/retry: three attempts, a random
// part of 2^n s after the nth), no deadline but the kubelet's own, and half of the
// token's life as the answer's, to the second.
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

// refreshed is this plugin with its timer.
func refreshed() policy {
	p := ours("this plugin, refresh", shortSession)
	p.refresh = true
	return p
}

// spread is this plugin with its timer, in a fleet that boots within a longer time.
func spread() policy {
	p := refreshed()
	p.name, p.spread = "this plugin, refresh, boot spread over 10 min", spreadWithin
	return p
}

// policies are those that are compared; the first and the last are drawn.
func policies() []policy {
	return []policy{ours("this plugin", shortSession), ours("this plugin, duration: 12h", longSession), refreshed(), naive()}
}
