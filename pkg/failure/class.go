// Package failure defines the classes of errors. The class of an error decides
// whether the cache remembers it, and whether an older token may be used instead.
package failure

import (
	"errors"
	"fmt"
)

// Class is what an error means for the next request. The zero value is
// Unavailable.
type Class int

// These are the classes.
const (
	// Unavailable means that AWS gave no usable answer. A token that is still valid
	// may be used instead.
	Unavailable Class = iota
	// Refused means that AWS denies the role or the token. The error is remembered,
	// and no older token is used.
	Refused
	// Misconfigured means that AWS cannot serve the request as it is. The error is
	// remembered. A token that is still valid may be used instead.
	Misconfigured
	// CallersToken means that AWS did not accept the pod's service account token.
	// The error concerns only this pod, and is never remembered.
	CallersToken
)

var names = [...]string{"unavailable", "refused", "misconfigured", "caller's token"}

// String returns the class as messages and logs name it.
func (c Class) String() string {
	if c < 0 || int(c) >= len(names) {
		return fmt.Sprintf("class %d", int(c))
	}
	return names[c]
}

// MarshalText returns the class as String does.
func (c Class) MarshalText() ([]byte, error) { return []byte(c.String()), nil }

// UnmarshalText sets the class from the text of MarshalText.
func (c *Class) UnmarshalText(text []byte) error {
	for i, name := range names {
		if name == string(text) {
			*c = Class(i)
			return nil
		}
	}
	return errors.New("not a class of errors")
}

// Of returns the class of an error, and reports whether the error has one. It has
// one if an error in its chain has a method FailureClass() Class.
func Of(err error) (Class, bool) {
	var classified interface{ FailureClass() Class }
	if !errors.As(err, &classified) {
		return Unavailable, false
	}
	return classified.FailureClass(), true
}
