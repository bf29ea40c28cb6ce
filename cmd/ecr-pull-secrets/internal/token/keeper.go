// Package token keeps one authorization token per plan, and renews it in time.
package token

import (
	"context"
	"slices"
	"sync"
	"time"

	"k8s.io/utils/clock"

	"ecr-cross-account-credential-provider/cmd/ecr-pull-secrets/internal/dockerconfig"
	"ecr-cross-account-credential-provider/cmd/ecr-pull-secrets/internal/target"
	"ecr-cross-account-credential-provider/pkg/cache"
	"ecr-cross-account-credential-provider/pkg/registry"
)

// Round makes a few calls to AWS at about the same time, with the same identity.
type Round interface {
	// Own returns the account of this program's identity.
	Own(context.Context) (registry.Account, error)
	// Mint gets a target's token.
	Mint(context.Context, target.Target) (cache.Token, error)
}

// Options are what a Keeper needs.
type Options struct {
	Targets target.Set
	// Begin starts a round.
	Begin func(context.Context) (Round, error)
	// Deadline limits the time for each token of a round.
	Deadline time.Duration
	Clock    clock.Clock
	// Random returns a number in [0, 1).
	Random func() float64
	// Report is called after each attempt.
	Report func(Attempt)
}

// Keeper holds the tokens of a configuration. New returns one. Several goroutines
// may use it at once, but only one may call Renew.
type Keeper struct {
	o Options

	mu    sync.Mutex
	own   *entry            // for finding this program's own account; nil if nothing depends on it
	kept  map[string]*entry // by the plan's key
	order []string          // the keys of kept
}

// New returns a Keeper without tokens.
func New(o Options) (*Keeper, error) {
	k := &Keeper{o: o, kept: map[string]*entry{}}
	if o.Targets.DependsOnOwn() {
		k.own = &entry{due: o.Clock.Now(), name: "own"}
	}
	return k, k.plan(registry.Account{})
}

// plan adds an entry for each new plan of the targets. Targets with the same plan share
// one token.
func (k *Keeper) plan(own registry.Account) error {
	targets, err := k.o.Targets.List(own)
	if err != nil {
		return err
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, e := range k.kept {
		e.targets = nil
	}
	for _, t := range targets {
		hash, err := t.Plan.Key(nil)
		if err != nil {
			return err
		}
		key := string(hash[:])
		if k.kept[key] == nil {
			k.kept[key] = &entry{due: k.o.Clock.Now(), name: t.Host}
			k.order = append(k.order, key)
		}
		k.kept[key].targets = append(k.kept[key].targets, t)
	}
	k.order = slices.DeleteFunc(k.order, func(key string) bool { return len(k.kept[key].targets) == 0 })
	return nil
}

// Knows reports whether a key belongs to a target, with or without a token. While this
// program's own account is unknown, it reports true for every key, because any key may
// belong to a target.
func (k *Keeper) Knows(key string) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.own != nil && !k.own.ended {
		return true
	}
	for _, e := range k.kept {
		if slices.ContainsFunc(e.targets, func(t target.Target) bool { return t.Key == key }) {
			return true
		}
	}
	return false
}

// Credentials returns the tokens that have not expired.
func (k *Keeper) Credentials() (valid []dockerconfig.Credential) {
	now := k.o.Clock.Now()
	k.each(func(e *entry) {
		if !e.valid(now) {
			return
		}
		for _, t := range e.targets {
			valid = append(valid, dockerconfig.Credential{Key: t.Key, Login: e.token, Expires: e.expires, Overdue: e.overdue(now)})
		}
	})
	return valid
}

// State is the state of a target's token.
type State struct {
	Key string
	// Expires is when the token expires by the wall clock, or zero if there is none.
	Expires time.Time
	// Failing is the error of the last renewal, or nil.
	Failing error
}

// States returns the state of every target.
func (k *Keeper) States() (all []State) {
	k.each(func(e *entry) {
		for _, t := range e.targets {
			all = append(all, State{t.Key, e.expires.Round(0), e.failing})
		}
	})
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.own != nil && !k.own.ended {
		all = append(all, State{k.own.name, time.Time{}, k.own.failing})
	}
	return all
}

// each calls f with each entry in order.
func (k *Keeper) each(f func(*entry)) {
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, key := range k.order {
		f(k.kept[key])
	}
}

// longestWait limits how long Run relies on a timer, because the machine may sleep.
const longestWait = time.Minute

// Run renews tokens until the context ends. It calls changed when Credentials has
// changed.
func (k *Keeper) Run(ctx context.Context, changed func()) {
	for k.wait(ctx) {
		if k.Renew(ctx) {
			changed()
		}
	}
}

// wait waits until there is something to do. It reports false if the context has ended.
func (k *Keeper) wait(ctx context.Context) bool {
	left := min(longestWait, k.next().Sub(k.o.Clock.Now()))
	if left <= 0 {
		return ctx.Err() == nil
	}
	timer := k.o.Clock.NewTimer(left)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C():
		return true
	}
}

// next returns the time at which there is something to do.
func (k *Keeper) next() time.Time {
	first := k.o.Clock.Now().Add(longestWait)
	for _, e := range k.entries() {
		if at := e.wake(); at.Before(first) {
			first = at
		}
	}
	return first
}

// entries returns all entries. The first one is the entry for finding this program's
// own account, if that is still to do.
func (k *Keeper) entries() (all []*entry) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.own != nil && !k.own.ended {
		all = append(all, k.own)
	}
	for _, key := range k.order {
		all = append(all, k.kept[key])
	}
	return all
}
