package failure_test

import (
	"errors"
	"fmt"
	"testing"

	"ecr-cross-account-credential-provider/pkg/failure"
)

type classified failure.Class

func (classified) Error() string                 { return "classified" }
func (c classified) FailureClass() failure.Class { return failure.Class(c) }

func TestOf(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		err  error
		want failure.Class
		ok   bool
	}{
		"none":       {errors.New("any"), failure.Unavailable, false},
		"nil":        {nil, failure.Unavailable, false},
		"classified": {classified(failure.Refused), failure.Refused, true},
		"wrapped":    {fmt.Errorf("assuming role: %w", classified(failure.Misconfigured)), failure.Misconfigured, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got, ok := failure.Of(test.err); got != test.want || ok != test.ok {
				t.Errorf("got %v, %t; want %v, %t", got, ok, test.want, test.ok)
			}
		})
	}
}

func TestTextRoundTrip(t *testing.T) {
	t.Parallel()
	for _, class := range []failure.Class{failure.Unavailable, failure.Refused, failure.Misconfigured, failure.CallersToken} {
		text, err := class.MarshalText()
		var got failure.Class
		if err != nil || got.UnmarshalText(text) != nil || got != class {
			t.Errorf("got %v (%v) from text %q, want %v", got, err, text, class)
		}
	}
	var c failure.Class
	if c.UnmarshalText([]byte("forgiven")) == nil {
		t.Error("got no error for an unknown class, want one")
	}
	if got := failure.Class(17).String(); got != "class 17" {
		t.Errorf("got %q, want class 17", got)
	}
}
