package cache

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// Do answers a request: from the cache where that has a fresh token or a
// remembered error, else by asking. Of all processes that want the same at the
// same time one asks, and its outcome, good or bad, is everybody's.
//
// The error is the Mint's own, or a *RememberedError, or says that the context
// ended while another process was asking.
func (s *Store) Do(ctx context.Context, r Request, mint Mint) (Answer, error) {
	if s == nil {
		return mintAlone(ctx, mint)
	}
	f := &flight{Store: s, Request: r, mint: mint, start: s.o.Now().Round(0)}
	known, err := s.read(r.Key)
	if err != nil {
		f.warn("the cache's entry for %s is not used: %w", err)
	}
	if f.settled(known) {
		return f.outcome(known)
	}
	if known.alive(s.o.Now()) {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, refreshWithin)
		defer cancel()
	}
	return f.finish(ctx, known)
}

func mintAlone(ctx context.Context, mint Mint) (Answer, error) {
	token, err := mint(ctx)
	if err != nil {
		return Answer{}, err
	}
	return token.answer(token.fresh()), nil
}

// flight is one request on its way to its answer.
type flight struct {
	*Store
	Request
	mint  Mint
	start time.Time
}

// warn says what is wrong with the cache; the answer is given all the same.
func (f *flight) warn(format string, err error) {
	f.o.Warn(fmt.Errorf(format, f.Registry, err).Error())
}

// finish waits for its turn, and asks, if nobody else's outcome comes first.
func (f *flight) finish(ctx context.Context, known *record) (Answer, error) {
	turn, err := f.turn(ctx)
	defer turn.lock.release()
	switch {
	case turn.settled != nil:
		return f.outcome(turn.settled)
	case err == nil:
		return f.ask(ctx, turn)
	case known.alive(f.o.Now()) && !errors.Is(err, context.Canceled):
		return f.stale(known, errors.New("another process of this node is still asking")), nil
	}
	return Answer{}, fmt.Errorf("no token for registry %s: another process of this node has been asking for %s: %w",
		f.Registry, seconds(f.o.Now().Sub(f.start)), err)
}

// settled tells whether a record answers this request: by what holds now, or
// because it is news, learned since the request came, whatever it is.
func (f *flight) settled(r *record) bool {
	if r == nil {
		return false
	}
	now, news := f.o.Now(), !r.Learned.Before(f.start)
	if r.Failure != nil && (news || now.Before(r.Failure.Until)) {
		return true
	}
	return r.alive(now) && (news || now.Before(r.Token.FreshUntil))
}

// outcome is the answer of a record that settles the request.
func (f *flight) outcome(r *record) (Answer, error) {
	now := f.o.Now()
	switch {
	case r.Failure == nil:
		return r.Token.answer(now, Fresh, r.Token.FreshUntil), nil
	case r.alive(now):
		return f.stale(r, fmt.Errorf("%s; failed %s ago, asked again in %s", r.Failure.Reason,
			seconds(now.Sub(r.Learned)), seconds(r.Failure.Until.Sub(now)))), nil
	}
	return Answer{}, &RememberedError{
		Reason:  r.Failure.Reason,
		Verdict: r.Failure.Verdict,
		Age:     max(0, now.Sub(r.Learned)),
		Again:   max(0, r.Failure.Until.Sub(now)),
	}
}

// stale is an answer with a token that should have been replaced.
func (f *flight) stale(r *record, why error) Answer {
	now := f.o.Now()
	a := r.Token.answer(now, Stale, now.Add(staleKeep))
	a.Note = join(fmt.Sprintf("using the token of %s ago for registry %s, good for another %s, as there is no new one: %s",
		seconds(a.Age), f.Registry, seconds(r.Token.Expires.Sub(now)), reason(why)), a.Note)
	return a
}

// answer is the token as an answer, to be kept until a time, and no longer than
// it lives.
func (k *kept) answer(now time.Time, from Source, until time.Time) Answer {
	if k.Expires.Before(until) {
		until = k.Expires
	}
	return Answer{
		Username: k.Username,
		Password: k.Password,
		Source:   from,
		Age:      max(0, now.Sub(k.Minted)),
		Keep:     max(0, until.Sub(now)),
		Note:     k.Note,
	}
}

func join(first, second string) string {
	if second == "" {
		return first
	}
	return first + "; " + second
}
