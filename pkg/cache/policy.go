package cache

import "time"

// What is remembered, and for how long.
const (
	// refreshWithin is how long a caller waits for a better token while one that
	// works is at hand.
	refreshWithin = 3 * time.Second
	// staleKeep is how long an answer with a stale token may be kept.
	staleKeep = 5 * time.Minute
	// stalePause is how long nobody asks after AWS was unavailable and a stale
	// token stood in; a fifth more or less by chance, for a fleet of nodes must
	// not come back at the same second.
	stalePause = time.Minute
	// firstRefusal is how long a refusal is remembered, and twice as long for
	// each that follows, up to lastRefusal.
	firstRefusal = time.Minute
	lastRefusal  = 5 * time.Minute
	// refusalStreak is how long after its end a refusal still counts for the
	// next one. The kubelet tries every 5 min at the latest.
	refusalStreak = 10 * time.Minute
	// maxStreak is where counting them ends.
	maxStreak = 10
	// firstFailure and lastFailure are between which times it is remembered
	// that AWS was unavailable when no token stood in: just long enough for
	// those who wait, so that they don't ask one after another.
	firstFailure = time.Second
	lastFailure  = 5 * time.Second
	// maxLife is the longest life that a token is taken to have; AWS gives 12h.
	// An entry that claims more was made by a clock gone wrong.
	maxLife = 24 * time.Hour
	// skew is how far ahead of the clock an entry may be: a clock is set back a
	// little now and then.
	skew = time.Minute
)

// stalePauseOf is stalePause with its share of chance, random of [0, 1).
func stalePauseOf(random float64) time.Duration {
	return stalePause*4/5 + time.Duration(random*float64(stalePause*2/5))
}

// FailureMemory is how long a failure without a stale token is remembered.
func FailureMemory(random float64) time.Duration {
	return firstFailure + time.Duration(random*float64(lastFailure-firstFailure))
}

// refusalMemory is how long the refusal of that number in a row is remembered.
func refusalMemory(streak int) time.Duration {
	d := firstRefusal
	for range streak - 1 {
		if d *= 2; d >= lastRefusal {
			return lastRefusal
		}
	}
	return d
}
