package cache

import (
	"context"
	"fmt"
	"time"
)

// Token is what a Mint gets. How long it is good for is counted from the answer
// on, by whoever gave it: the end less the time at which the answer was given,
// both by AWS's clock. So a node whose clock is wrong neither keeps a dead token
// nor drops a live one.
type Token struct {
	Username string
	Password string `json:"-"`
	// Fresh is for how long the token is as good as a new one. It may be 0.
	Fresh time.Duration
	// Life is for how long it can be used at all; at most that long it stands in
	// when AWS is unavailable. One with no life left is answered, and not kept.
	Life time.Duration
	// Note is what people should know whenever this token is used.
	Note string
}

// String is the token without its secret.
func (t Token) String() string {
	return fmt.Sprintf("Token(fresh for %s, lives for %s)", t.Fresh, t.Life)
}

// Format is String for every verb, so that none prints the secret.
func (t Token) Format(f fmt.State, _ rune) { _, _ = fmt.Fprint(f, t.String()) }

// fresh is for how long a token is as good as new.
func (t Token) fresh() time.Duration { return max(0, min(t.Fresh, t.Life)) }

// answer is a token as the answer to whoever asked for it.
func (t Token) answer(keep time.Duration) Answer {
	return Answer{Username: t.Username, Password: t.Password, Keep: keep, Note: t.Note}
}

// Mint asks AWS for a token. It should end with its context.
type Mint func(context.Context) (Token, error)

// Request is what a token is wanted for.
type Request struct {
	Key Key
	// Registry and Identity are for people, in List.
	Registry, Identity string
}

// Source is where an answer comes from.
type Source int

// The sources of an answer.
const (
	// Minted: asked for just now.
	Minted Source = iota
	// Fresh: from the cache, as good as new.
	Fresh
	// Stale: from the cache, because there is no new one to be had.
	Stale
)

// String is the source in a word.
func (s Source) String() string { return [...]string{"minted", "fresh", "stale"}[s] }

// Answer is a token to use now.
type Answer struct {
	Username string
	Password string `json:"-"`
	Source   Source
	// Age is for how long the token has been there.
	Age time.Duration
	// Keep is for how long whoever gets the answer may keep it: as long as the
	// token is fresh; 5 min at most for a stale one.
	Keep time.Duration
	// Note is what people should know about the answer, in one line. A stale
	// one has its reason here.
	Note string
}

// String is the answer without its secret.
func (a Answer) String() string {
	return fmt.Sprintf("Answer(%s, %s old, to keep for %s)", a.Source, a.Age, a.Keep)
}

// Format is String for every verb, so that none prints the secret.
func (a Answer) Format(f fmt.State, _ rune) { _, _ = fmt.Fprint(f, a.String()) }
