package awsapi

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/aws/smithy-go"

	"ecr-cross-account-credential-provider/pkg/failure"
	"ecr-cross-account-credential-provider/pkg/printable"
)

// Error says why a call to AWS gave no usable answer. It has a class, and the cause
// in one line without secrets.
type Error struct {
	class      failure.Class
	text, hint string // the hint may contain the word SERVICE; Hint replaces it
	retried    bool
	err        error
}

// Error returns the cause in one line.
func (e *Error) Error() string { return e.text }

// Unwrap returns the SDK's own error. Its text is not for people: it may be long
// and quote a secret.
func (e *Error) Unwrap() error { return e.err }

// FailureClass returns what the error means for the next request.
func (e *Error) FailureClass() failure.Class { return e.class }

// Unusable returns the error for an answer without a required field.
func Unusable(text string) *Error { return &Error{class: failure.Unavailable, text: text} }

// Hint returns what an operator should do about an error of Call, without
// punctuation around it. service is the service's name in messages, such as "STS"
// or "the ECR API of eu-west-1". Hint returns "" if err is not an *Error, or if
// AWS's own words say what is wrong.
func Hint(err error, service string) string {
	if e, ok := errors.AsType[*Error](err); ok {
		return strings.ReplaceAll(e.hint, "SERVICE", service)
	}
	return ""
}

// knownError is an error that this package made itself, so its cause is known.
type knownError struct {
	cause
	detail string
	err    error
}

func (e *knownError) Error() string { return e.describe("", e.detail) }
func (e *knownError) Unwrap() error { return e.err }

func (c cause) describe(host, detail string) string {
	return strings.NewReplacer("HOST", cmp.Or(host, "AWS"), "DETAIL", detail).Replace(c.text)
}

// diagnose finds the cause of an error, and its detail.
func diagnose(err error, p progress) (cause, string) {
	if known, ok := errors.AsType[*knownError](err); ok {
		return known.cause, known.detail
	}
	if large, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return cause{text: "HOST: the answer is larger than DETAIL bytes", hint: "check whether HOST is SERVICE"}, fmt.Sprint(large.Limit)
	}
	if errors.Is(err, context.Canceled) && !isTimeout(err) {
		return cause{text: "stopped while HOST was asked (DETAIL)"}, p.doing()
	}
	if api, ok := errors.AsType[smithy.APIError](err); ok {
		return answered(err, api)
	}
	for _, c := range causes {
		if detail, found := c.find(err, p); found {
			return c, detail
		}
	}
	return cause{}, ""
}

// explain returns the error for a failed attempt.
func (a *API) explain(err error, p progress) *Error {
	if e, ok := errors.AsType[*Error](err); ok {
		explained := *e
		explained.text = a.clean(e.text)
		return &explained
	}
	err = p.complete(err)
	c, detail := diagnose(err, p)
	if isMetadata(err) && p.host != "" && c.hint != "" && !c.metadata {
		c.hint = "check that the instance metadata service is on and that the node reaches HOST"
	}
	hint := strings.ReplaceAll(c.hint, "HOST", p.host)
	return &Error{class: c.class, text: a.clean(c.describe(p.host, detail)), hint: hint, retried: c.retried, err: err}
}

// clean removes secrets from text that comes from outside, and shortens it to one
// line of at most 1000 bytes. All such text passes through clean before it reaches a
// message.
func (a *API) clean(text string) string {
	const maxText = 1000
	return printable.Line(a.secrets.Redact(text), maxText)
}
