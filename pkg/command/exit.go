package command

import (
	"errors"
	"fmt"
)

// Exit statuses besides 0, success.
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

// errReported is an error that the user has been told of.
var errReported = errors.New("")

// Reported ends the program with a status and without a message: the output says
// everything.
func Reported(status int) error { return &ExitError{status, errReported} }

// UsageError returns the error of a command line that makes no sense.
func UsageError(format string, args ...any) error {
	return &ExitError{Misused, fmt.Errorf(format, args...)}
}

// statusOf returns the exit status that an error stands for.
func statusOf(err error) int {
	if err == nil {
		return 0
	}
	if exit, ok := errors.AsType[*ExitError](err); ok {
		return exit.Status
	}
	return Failed
}
