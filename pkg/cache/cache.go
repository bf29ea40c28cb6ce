// Package cache shares tokens among all of the plugin's processes on a node. The
// kubelet starts a process per image, often dozens at once. Most of these processes
// must not ask AWS. The package does not call AWS. Its caller mints the tokens, and
// package failure says what an error means.
//
// The cache never makes a request fail. If something is wrong with the disk, the
// caller gets AWS's outcome and a warning.
//
// # Reading order
//
// entry.go decides what a request does with an entry, and what an entry becomes.
// codec.go and store.go keep entries in files. acquire.go joins them, and renew.go replaces tokens
// before they are needed.
//
// # Files
//
// The directory has mode 0700 and its files have 0600. A key's files are:
//
//	KEY             the entry; replaced by rename, never changed
//	KEY.lock        the process that asks AWS holds its lock (flock)
//	KEY.RANDOM.tmp  an entry that is being written
//
// The modification time of an entry's file is the time of its last use. That of a
// lock's file is the time of the last request for the lock. Renewing a token does
// not count as use.
package cache

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"time"

	"ecr-cross-account-credential-provider/pkg/failure"
	"ecr-cross-account-credential-provider/pkg/secret"
)

// Key identifies an entry: a hash of everything that decides who may have its
// token.
type Key [sha256.Size]byte

// String returns the key in hexadecimal digits. That is the name of its file.
func (k Key) String() string { return hex.EncodeToString(k[:]) }

// parseKey returns the key that String wrote as s, and reports whether s is a key.
func parseKey(s string) (k Key, ok bool) {
	if len(s) != hex.EncodedLen(len(k)) {
		return Key{}, false
	}
	_, err := hex.Decode(k[:], []byte(s))
	return k, err == nil && k.String() == s
}

// Request says what a token is for. Registry and Identity appear in lists and
// messages.
type Request struct {
	Key      Key    `json:"-"`
	Registry string `json:"registry,omitempty"`
	Identity string `json:"identity,omitempty"`
	// Image is the image of a request for the token, without a tag. The
	// plan can be computed again from it.
	Image string `json:"image,omitempty"`
	// Renewable says that the token can be renewed without a request.
	Renewable bool `json:"renewable,omitempty"`
}

// Token is what a Mint gets.
type Token struct {
	// Secret is the caller's content. The cache does not read it.
	Secret secret.Text `json:"-"`
	// Fresh is how long the token is as good as a new one. Life is how long AWS
	// accepts it. Both count from before Mint began, by the node's clock. The cache
	// does not keep a token without a life, but returns it.
	Fresh time.Duration `json:"fresh"`
	Life  time.Duration `json:"life"`
	// Identity names the identity that minted the token, if it is not the
	// request's.
	Identity string `json:"identity,omitempty"`
	// Note is a warning to give at each use of the token.
	Note string `json:"note,omitempty"`
}

// Mint asks AWS for a token. It must end with its context.
type Mint func(context.Context) (Token, error)

// Outcome says where a token comes from.
type Outcome int

// The outcomes.
const (
	// Minted is a token that this request got from AWS.
	Minted Outcome = iota
	// Fresh is a token from the cache that is as good as a new one.
	Fresh
	// Stale is a token from the cache that is used because there is no new one.
	Stale
)

// String returns the outcome in one word.
func (o Outcome) String() string { return [...]string{"minted", "fresh", "stale"}[o] }

// Lease is a token to use now.
type Lease struct {
	Secret  secret.Text
	Outcome Outcome
	// Keep is how long the caller may keep the token.
	Keep time.Duration
	// Identity names the identity that minted the token.
	Identity string
	// Note is a warning for people, in one line. For a stale token it holds the
	// reason.
	Note string
}

// RememberedError is the error of an earlier request or of another process. This
// request did not ask AWS again. In an entry, the times count from the moment of
// the error.
type RememberedError struct {
	Reason string        `json:"reason"` // the text of the error
	Class  failure.Class `json:"class"`
	Age    time.Duration `json:"-"`     // the time since the error
	Again  time.Duration `json:"again"` // the time until AWS is asked again
}

// FailureClass returns the class of the original error.
func (e *RememberedError) FailureClass() failure.Class { return e.Class }

// Error returns the reason, its age, and when AWS is asked again.
func (e *RememberedError) Error() string {
	return fmt.Sprintf("%s; %s %s ago, asked again in %s", e.Reason, e.verb(), seconds(e.Age), seconds(e.Again))
}

// verb returns what AWS did, for people.
func (e *RememberedError) verb() string {
	if e.Class == failure.Refused {
		return "refused"
	}
	return "failed"
}

// seconds rounds a duration for a message.
func seconds(d time.Duration) time.Duration { return max(0, d).Round(time.Second) }
