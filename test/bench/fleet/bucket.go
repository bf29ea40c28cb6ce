package main

import "time"

// bucket is a quota. It is a token bucket that holds the tokens of one second.
type bucket struct {
	rate   float64 // a second
	tokens float64
	filled time.Duration
	log    *tally
}

func newBucket(rate float64, log *tally) *bucket {
	return &bucket{rate: rate, tokens: rate, log: log}
}

// take makes a call, and reports whether the quota allows it. Times never decrease.
func (b *bucket) take(now time.Duration) bool {
	b.tokens = min(b.rate, b.tokens+(now-b.filled).Seconds()*b.rate)
	b.filled = now
	granted := b.tokens >= 1
	if granted {
		b.tokens--
	}
	b.log.add(now, granted)
	return granted
}

// tally counts calls per second.
type tally struct {
	calls, refused int
	seconds        []int
}

func (t *tally) add(now time.Duration, granted bool) {
	t.calls++
	if !granted {
		t.refused++
	}
	second := int(now / time.Second)
	for len(t.seconds) <= second {
		t.seconds = append(t.seconds, 0)
	}
	t.seconds[second]++
}

// between returns the calls of each second in a range.
func (t *tally) between(from, to int) []int {
	to = min(to, len(t.seconds))
	return t.seconds[min(from, to):to]
}
