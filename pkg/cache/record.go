package cache

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"
	"unicode/utf8"
)

// version is that of the format. It changes with any change that a reader of
// before would take wrongly.
const version = 1

// maxFile bounds an entry's file; ECR's tokens have 2 to 4 KiB.
const maxFile = 64 << 10

// record is an entry as its file has it: what is known of a key. It has a
// token, a failure, both (a stale token, as AWS was unavailable), or a fact. All
// times are the node's.
type record struct {
	Version  int    `json:"version"`
	Key      string `json:"key"`
	Registry string `json:"registry,omitempty"`
	Identity string `json:"identity,omitempty"`
	// Learned is when AWS gave its latest answer, or failed to.
	Learned time.Time `json:"learned"`
	Token   *kept     `json:"token,omitempty"`
	Failure *failure  `json:"failure,omitempty"`
	Fact    *fact     `json:"fact,omitempty"`
}

// kept is a token that was got.
type kept struct {
	Username   string    `json:"username"`
	Password   string    `json:"password"`
	Minted     time.Time `json:"minted"`
	FreshUntil time.Time `json:"freshUntil"`
	Expires    time.Time `json:"expires"`
	Note       string    `json:"note,omitempty"`
}

// String is the token without its secret.
func (k *kept) String() string { return "kept(expires " + k.Expires.Format(time.RFC3339) + ")" }

// Format is String for every verb, so that none prints the secret.
func (k *kept) Format(f fmt.State, _ rune) { _, _ = fmt.Fprint(f, k.String()) }

// failure is an error that was got when the record was learned.
type failure struct {
	Verdict Verdict   `json:"verdict"`
	Reason  string    `json:"reason"`
	Until   time.Time `json:"until"`
	// Streak is how many refusals came in a row.
	Streak int `json:"streak,omitempty"`
}

// fact is something known of the node that is no secret.
type fact struct {
	Value string    `json:"value"`
	Until time.Time `json:"until"`
}

func (r *record) encode() ([]byte, error) {
	data, err := json.Marshal(r)
	if err == nil && len(data) > maxFile {
		return nil, errTooLarge
	}
	return data, err
}

var errTooLarge = fmt.Errorf("it is larger than %d bytes", maxFile)

// decode takes a record as its file has it, if it can be believed at that time.
// Errors quote nothing of the file.
func decode(data []byte, key Key, now time.Time) (*record, error) {
	if len(data) > maxFile {
		return nil, errTooLarge
	}
	var r record
	if err := json.Unmarshal(data, &r); err != nil || r.Version != version {
		return nil, whyUnreadable(data)
	}
	if err := r.check(key, now); err != nil {
		return nil, err
	}
	return &r, nil
}

// whyUnreadable looks at nothing but the version: all else may mean something
// different in another.
func whyUnreadable(data []byte) error {
	var v struct {
		Version *int `json:"version"`
	}
	switch err := json.Unmarshal(data, &v); {
	case err != nil || v.Version == nil:
		return errors.New("it is truncated, or not an entry at all")
	case *v.Version > version:
		return fmt.Errorf("it is of version %d of the format, newer than %d", *v.Version, version)
	case *v.Version < version:
		return fmt.Errorf("it is of version %d of the format, older than %d", *v.Version, version)
	}
	return errors.New("it has fields that are not as they must be")
}

func (r *record) check(key Key, now time.Time) error {
	future := now.Add(skew)
	switch t, f := r.Token, r.Failure; {
	case r.Key != key.String():
		return errors.New("it is another key's")
	case t == nil && f == nil && r.Fact == nil:
		return errors.New("nothing is in it")
	case r.Learned.After(future) || t != nil && t.Minted.After(future):
		return errors.New("it is from the future; the node's clock was set back")
	case t != nil && !t.plausible(), f != nil && !f.plausible(r.Learned), f != nil && f.Verdict == Remember && t != nil:
		return errors.New("its parts contradict each other")
	}
	return nil
}

func (k *kept) plausible() bool {
	return k.Username != "" && k.Password != "" && utf8.ValidString(k.Username+k.Password) && // else JSON would change them
		!k.FreshUntil.Before(k.Minted) && !k.Expires.Before(k.FreshUntil) && k.Expires.Sub(k.Minted) <= maxLife
}

func (f *failure) plausible(learned time.Time) bool {
	return !f.Until.Before(learned) && f.Until.Sub(learned) <= lastRefusal && 0 <= f.Streak && f.Streak <= maxStreak
}

// alive tells whether there is a token that can be used.
func (r *record) alive(now time.Time) bool {
	return r != nil && r.Token != nil && now.Before(r.Token.Expires)
}

// failed tells whether there is a failure of a verdict.
func (r *record) failed(v Verdict) bool {
	return r != nil && r.Failure != nil && r.Failure.Verdict == v
}

// streak is how many refusals came in a row until now.
func (r *record) streak(now time.Time) int {
	if r == nil || r.Failure == nil || now.After(r.Failure.Until.Add(refusalStreak)) {
		return 0
	}
	return r.Failure.Streak
}

// dead tells whether a record is of no more use.
func (r *record) dead(now time.Time) bool {
	return !r.alive(now) &&
		(r.Failure == nil || now.After(r.Failure.Until.Add(refusalStreak))) &&
		(r.Fact == nil || !now.Before(r.Fact.Until))
}
