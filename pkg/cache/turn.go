package cache

import (
	"context"
	"time"
)

// turn is how waiting to ask has ended: with an outcome that makes asking
// needless, or with the right to ask; with a lock that others wait for, or
// without one, where there is no use in waiting for each other.
type turn struct {
	settled *record
	lock    *lock
	lane    int
}

// turn waits until this process may ask, or need not. The error is the
// context's.
func (f *flight) turn(ctx context.Context) (turn, error) {
	for lane := range lanes {
		l, err := f.openLock(f.Key, lane)
		if err != nil {
			f.warn("asking for %s without the cache's lock: %w", err)
			return turn{}, nil
		}
		place, settled, err := f.queue(ctx, l)
		if place == holding {
			return turn{lock: l, lane: lane}, nil
		}
		l.release()
		if place != overdue {
			return turn{settled: settled}, err
		}
	}
	return turn{}, nil
}

// place is where waiting for a lock has led.
type place int

const (
	waiting place = iota
	holding
	// overdue: the holder has not kept its promise.
	overdue
	// alone: there is no use in waiting.
	alone
	// over: somebody else's outcome came, or the context's end.
	over
)

// Those who wait look again after so long, first and last.
const (
	firstPoll = 5 * time.Millisecond
	lastPoll  = 50 * time.Millisecond
)

// queue waits for a lock: until it is free, its holder's outcome is there, or
// the holder's promise is broken.
func (f *flight) queue(ctx context.Context, l *lock) (place, *record, error) {
	var seen sight
	for poll := firstPoll; ; poll = min(2*poll, lastPoll) {
		place := f.try(l, &seen)
		// Only now: what the last holder wrote before it let go must be seen.
		if r, _ := f.read(f.Key); f.settled(r) {
			return over, r, nil
		}
		if place != waiting {
			return place, nil, nil
		}
		if ctx.Err() != nil {
			return over, nil, context.Cause(ctx)
		}
		pause(ctx, poll/2+time.Duration(f.o.Random()*float64(poll/2)))
	}
}

// sight is what was seen of a lock's holder.
type sight struct {
	met      time.Time // when the lock was first found held
	promised bool
}

// try takes the lock if it is free.
func (f *flight) try(l *lock, seen *sight) place {
	free, err := l.try()
	_, promised := l.promised()
	withdrawn := !promised && (seen.promised || free && !seen.met.IsZero())
	seen.promised = promised
	switch {
	case err != nil:
		f.warn("asking for %s without the cache's lock: %w", err)
		return alone
	case withdrawn:
		return alone // the holder's outcome is nobody else's
	case free:
		return holding
	case seen.met.IsZero():
		seen.met = f.o.Now()
	case f.o.Now().After(l.until(seen.met)):
		return overdue
	}
	return waiting
}

// pause waits, but not past the context's end.
func pause(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
}
