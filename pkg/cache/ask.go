package cache

import (
	"context"
	"errors"
	"time"
)

// ask asks AWS, and keeps what comes of it.
func (f *flight) ask(ctx context.Context, t turn) (Answer, error) {
	ctx, cancel, until := f.limits(ctx, t.lane)
	defer cancel()
	if t.lock != nil {
		if err := t.lock.promise(until); err != nil {
			f.warn("asking for %s without the cache's lock: %w", err)
			t.lock.withdraw()
			t.lock.release()
			t.lock = nil
		}
	}
	begin := f.o.Now()
	token, err := f.mint(ctx)
	if err == nil {
		return f.keep(t, token, begin), nil
	}
	switch f.verdict(ctx, err) {
	case Remember:
		return Answer{}, f.refused(t, err)
	case Transient:
		return f.unavailable(t, err)
	}
	t.lock.withdraw()
	return Answer{}, err
}

// verdict: who is told to stop learns nothing of AWS.
func (f *flight) verdict(ctx context.Context, err error) Verdict {
	if errors.Is(ctx.Err(), context.Canceled) {
		return Forget
	}
	return f.o.Verdict(err)
}

const (
	// promiseWithout is what is promised for a Mint whose context has no end.
	promiseWithout = 10 * time.Second
	// maxReserve is how much of its time a holder leaves for those who wait, to
	// get its outcome before their own time is over.
	maxReserve = 500 * time.Millisecond
)

// limits are those of asking, and of the promise to those who wait. The first
// to ask promises an outcome within half of its time, though it goes on after
// that: should it have been stopped, another one has as much time to ask in its
// place.
func (f *flight) limits(ctx context.Context, lane int) (context.Context, context.CancelFunc, time.Time) {
	end, ok := ctx.Deadline()
	if !ok {
		return ctx, func() {}, f.o.Now().Add(promiseWithout)
	}
	left := time.Until(end) //nolint:forbidigo // a context's end is by the process's own clock
	ctx, cancel := context.WithDeadline(ctx, end.Add(-min(left/10, maxReserve)))
	if lane == 0 {
		left /= 2
	}
	return ctx, cancel, f.o.Now().Add(left)
}

// keep writes a new token down. Its life is counted from before it was asked
// for: however long this process was stopped meanwhile, that is not too late.
func (f *flight) keep(t turn, token Token, begin time.Time) Answer {
	begin = begin.Round(0) // an interval of suspension counts, too
	k := &kept{
		Username:   token.Username,
		Password:   token.Password,
		Minted:     begin,
		FreshUntil: begin.Add(min(token.fresh(), maxLife)),
		Expires:    begin.Add(min(token.Life, maxLife)),
		Note:       token.Note,
	}
	now := f.o.Now()
	if !now.Before(k.Expires) || !k.plausible() {
		t.lock.withdraw()
		return token.answer(0)
	}
	f.learn(t, &record{Token: k})
	a := k.answer(now, Minted, k.FreshUntil)
	a.Age = 0
	return a
}

// refused writes a refusal down in place of what was known: a token that was
// got before must not be used any more. It returns the refusal.
func (f *flight) refused(t turn, err error) error {
	now := f.o.Now()
	known, _ := f.read(f.Key)
	if f.settled(known) && known.failed(Remember) {
		return err // counted already, by another process that asked at the same time
	}
	streak := min(known.streak(now)+1, maxStreak)
	until := now.Add(refusalMemory(streak))
	f.learn(t, &record{Failure: &failure{Verdict: Remember, Reason: reason(err), Until: until, Streak: streak}})
	return err
}

// unavailable has the token that is at hand stand in, if it still lives, and
// writes down that nobody need ask for a while. Who was stopped and goes on
// after its time has nothing to say: somebody else's news count.
func (f *flight) unavailable(t turn, err error) (Answer, error) {
	known, _ := f.read(f.Key)
	if f.settled(known) {
		return f.outcome(known)
	}
	now := f.o.Now()
	next := &record{Failure: &failure{Verdict: Transient, Reason: reason(err), Streak: known.streak(now)}}
	if !known.alive(now) {
		next.Failure.Until = now.Add(FailureMemory(f.o.Random()))
		f.learn(t, next)
		return Answer{}, err
	}
	next.Token = known.Token
	next.Failure.Until = now.Add(stalePauseOf(f.o.Random()))
	f.learn(t, next)
	return f.stale(known, err), nil
}

// learn writes down what is known now. Where that can't be, those who wait are
// told not to, and what was known before must at least not outlive a refusal.
func (f *flight) learn(t turn, r *record) {
	r.Registry, r.Identity, r.Learned = f.Registry, f.Identity, f.o.Now().Round(0)
	err := f.write(f.Key, r)
	if err == nil {
		return
	}
	f.warn("the cache's entry for %s is not written: %w", err)
	t.lock.withdraw()
	if r.failed(Remember) {
		_ = f.root.Remove(f.Key.String())
	}
}
