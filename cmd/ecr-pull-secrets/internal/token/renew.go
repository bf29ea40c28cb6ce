package token

import (
	"context"
	"sync"
	"time"
)

// Attempt is the result of an attempt to get a token.
type Attempt struct {
	// Name is the registry's host, or "own" for this program's own account.
	Name string
	// Err is the reason why there is no token, or nil if there is one.
	Err error
	// Note is a warning for operators about a new token.
	Note string
	// Expires is when the new token expires. After an error, it is when the previous
	// token expires, or zero. Next is when AWS is asked next.
	Expires, Next time.Time
}

// together is how early a token is renewed if another one is due. Then one write of the
// Secrets is enough for both.
const together = 5 * time.Minute

// atOnce is the number of tokens that are requested at the same time.
const atOnce = 4

// Renew gets the tokens that are due. It reports whether Credentials has changed.
func (k *Keeper) Renew(ctx context.Context) (changed bool) {
	now := k.o.Clock.Now()
	for _, e := range k.entries() {
		changed = k.drop(e, now) || changed
	}
	due := k.due(now)
	if len(due) == 0 {
		return changed
	}
	round, err := k.o.Begin(ctx)
	if err != nil {
		for _, e := range due {
			k.fail(ctx, e, err)
		}
		return changed
	}
	if due[0] == k.own {
		k.findOwn(ctx, round)
		due = k.due(k.o.Clock.Now()) // the entries of the own account are newer than now
	}
	return k.mintAll(ctx, round, due) || changed
}

// due returns the entries that are due. If there are any, it also returns those
// that are due soon.
func (k *Keeper) due(now time.Time) (due []*entry) {
	first := false
	var soon []*entry
	for _, e := range k.entries() {
		late := passed(e.due, now)
		first = first || late
		if late || e.failures == 0 && passed(e.due, now.Add(together)) {
			soon = append(soon, e)
		}
	}
	if !first {
		return nil
	}
	return soon
}

// drop checks whether a token has expired. It reports whether the token expired since
// the last call.
func (k *Keeper) drop(e *entry, now time.Time) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	if e.token.IsZero() || e.dropped || e.valid(now) {
		return false
	}
	e.dropped = true
	return true
}

// findOwn finds this program's own account, and adds its targets.
func (k *Keeper) findOwn(ctx context.Context, round Round) {
	ctx, cancel := context.WithTimeout(ctx, k.o.Deadline)
	defer cancel()
	account, err := round.Own(ctx)
	if err == nil {
		err = k.plan(account)
	}
	if err != nil {
		k.fail(ctx, k.own, err)
		return
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.own.ended = true
}

// mintAll gets the tokens of some entries, a few at a time.
func (k *Keeper) mintAll(ctx context.Context, round Round, due []*entry) (changed bool) {
	var group sync.WaitGroup
	slots, results := make(chan struct{}, atOnce), make([]bool, len(due))
	for i, e := range due {
		if len(e.targets) == 0 {
			continue
		}
		slots <- struct{}{}
		group.Go(func() {
			defer func() { <-slots }()
			results[i] = k.mint(ctx, round, e)
		})
	}
	group.Wait()
	for _, result := range results {
		changed = changed || result
	}
	return changed
}

// mint gets one token, and reports whether it succeeded.
func (k *Keeper) mint(ctx context.Context, round Round, e *entry) bool {
	ctx, cancel := context.WithTimeout(ctx, k.o.Deadline)
	defer cancel()
	begin := k.o.Clock.Now()
	token, err := round.Mint(ctx, e.targets[0])
	if err != nil {
		k.fail(ctx, e, err)
		return false
	}
	k.mu.Lock()
	e.renewed(token, begin)
	attempt := Attempt{Name: e.name, Note: token.Note, Expires: e.expires, Next: e.due}
	k.mu.Unlock()
	k.o.Report(attempt)
	return true
}

// fail records an error of AWS. The error of a cancelled context says nothing about
// AWS.
func (k *Keeper) fail(ctx context.Context, e *entry, err error) {
	if context.Cause(ctx) == context.Canceled { //nolint:errorlint // the cause itself, not one that wraps it
		return
	}
	k.mu.Lock()
	e.failed(err, k.o.Clock.Now(), k.o.Random())
	attempt := Attempt{Name: e.name, Err: err, Expires: e.expires, Next: e.due}
	k.mu.Unlock()
	k.o.Report(attempt)
}
