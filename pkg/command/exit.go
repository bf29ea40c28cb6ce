package command

import (
	"errors"
	"fmt"
)

// These are the exit statuses besides 0, success.
const (
	Failed       = 1
	Misused      = 2 // usage or configuration
	FoundProblem = 3 // a check found problems
)

// ExitError is an error with the status that the program ends with.
type ExitError struct {
	Status int
	Err    error
}

// Error returns the error's text.
func (e *ExitError) Error() string { return e.Err.Error() }

// Unwrap returns the error without the status.
func (e *ExitError) Unwrap() error { return e.Err }

// errReported is an error that was already reported to the user.
var errReported = errors.New("")

// Reported returns an error that ends the program with a status and without a
// message. The output already says everything.
func Reported(status int) error { return &ExitError{status, errReported} }

// UsageError returns the error for a wrong command line.
func UsageError(format string, args ...any) error {
	return &ExitError{Misused, fmt.Errorf(format, args...)}
}

// statusOf returns the exit status for an error.
func statusOf(err error) int {
	if err == nil {
		return 0
	}
	if exit, ok := errors.AsType[*ExitError](err); ok {
		return exit.Status
	}
	return Failed
}
