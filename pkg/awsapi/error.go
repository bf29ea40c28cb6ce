package awsapi

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"syscall"

	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"ecr-cross-account-credential-provider/pkg/printable"
)

// Error is why a call to AWS gave no usable answer: its class, and the cause in
// one line that holds no secret.
type Error struct {
	Class Class
	text  string
	err   error
}

// Error is the cause in one line.
func (e *Error) Error() string { return e.text }

// Unwrap is the SDK's own error. Its text is not for people: it may be long and
// quote what should not be.
func (e *Error) Unwrap() error { return e.err }

// Unusable is an answer that came but lacks what it must have.
func Unusable(text string) *Error { return &Error{Class: Unavailable, text: text} }

// ClassOf is the class of an error that came of a call to AWS.
func ClassOf(err error) (Class, bool) {
	var e *Error
	if errors.As(err, &e) {
		return e.Class, true
	}
	return Unavailable, false
}

// maxText is the length of a cause in a message at most.
const maxText = 1000

// Call makes one call to AWS, with retries. Its error is an *Error.
func Call[T any](ctx context.Context, api *API, call func(context.Context) (T, error)) (T, error) {
	watched, a := withAttempt(ctx)
	answer, err := withRetries(watched, api, call)
	if err == nil {
		return answer, nil
	}
	var zero T
	return zero, &Error{Class: classify(err), text: printable.Line(describe(err, a), maxText), err: err}
}

// describe says in words what went wrong.
func describe(err error, a *attempt) string {
	host, stage := a.reached()
	var insecure *insecureEndpointError
	var process *processError
	var api smithy.APIError
	switch {
	case errors.As(err, &insecure):
		return insecure.Error()
	case errors.As(err, &process):
		return process.Error()
	case errors.As(err, &api):
		return describeAPI(err, api, host)
	case errors.Is(err, errTooLarge):
		return host + ": " + errTooLarge.Error()
	case isStopped(err):
		return fmt.Sprintf("stopped while %s was asked (%s)", orAWS(host), stage)
	case isTimeout(err) && host == "":
		return "no time was left to ask AWS"
	case isTimeout(err):
		return fmt.Sprintf("no answer from %s in time (%s)", orAWS(host), stage)
	}
	return describeNetwork(err, host)
}

func describeAPI(err error, api smithy.APIError, host string) string {
	code, message := api.ErrorCode(), api.ErrorMessage()
	switch {
	case code == unknownCode || code == "":
		return fmt.Sprintf("%s answered %s without a reason", orAWS(host), status(err))
	case strings.Contains(code, "Signature"):
		// AWS's text quotes the request's headers, the session's token included.
		return code + ": the request's signature was not accepted; are the node's clock and secret key right?"
	case message == "" || message == unknownCode:
		return code
	}
	return code + ": " + message
}

func status(err error) string {
	code := statusOf(err)
	return strings.TrimSpace(fmt.Sprintf("%d %s", code, http.StatusText(code)))
}

// statusOf is the HTTP status of the answer; 0 if there was none, for which the
// SDK has an error of a response, too.
func statusOf(err error) int {
	var response *smithyhttp.ResponseError
	if errors.As(err, &response) {
		return response.HTTPStatusCode()
	}
	return 0
}

func describeNetwork(err error, host string) string {
	var dns *net.DNSError
	var certificate *tls.CertificateVerificationError
	var record tls.RecordHeaderError
	var operation *net.OpError
	switch {
	case errors.As(err, &operation) && operation.Op == "proxyconnect":
		return fmt.Sprintf("the proxy of the environment can't be reached on the way to %s: %s", host, innermost(operation.Err))
	case errors.As(err, &dns):
		return fmt.Sprintf("the name %s does not resolve (%s)", dns.Name, dns.Err)
	case errors.As(err, &certificate):
		return fmt.Sprintf("the TLS certificate of %s is not accepted: %s", host, certificate.Err)
	case errors.As(err, &record), errors.Is(err, http.ErrSchemeMismatch):
		return fmt.Sprintf("%s does not speak TLS", host)
	case errors.Is(err, syscall.ECONNREFUSED):
		return host + " refused the connection"
	case isBroken(err):
		return host + " broke the connection off"
	case errors.As(err, &operation):
		return fmt.Sprintf("%s can't be reached: %s", host, operation.Err)
	}
	return describeUnreadable(err, host)
}

// describeUnreadable leaves the decoder's words out of an answer that could not
// be read, as they may quote it.
func describeUnreadable(err error, host string) string {
	switch code := statusOf(err); {
	case code >= http.StatusMultipleChoices:
		return fmt.Sprintf("%s answered %s", orAWS(host), status(err))
	case code != 0 || isMalformed(err):
		return orAWS(host) + " gave an answer that can't be read"
	}
	if host == "" && strings.Contains(err.Error(), "AWS_EC2_METADATA_DISABLED") {
		return "AWS_EC2_METADATA_DISABLED is set"
	}
	if host == "" {
		return innermost(err).Error()
	}
	return fmt.Sprintf("%s can't be reached: %s", host, innermost(err))
}

// NoAnswer tells an error of the way to a service from an answer of it.
func NoAnswer(err error) bool {
	var e *Error
	var network net.Error
	return errors.As(err, &e) && e.Class == Unavailable && statusOf(err) == 0 && !isStopped(err) &&
		(isTimeout(err) || errors.As(err, &network) || isBroken(err))
}

// isBroken tells a connection that ended too early.
func isBroken(err error) bool {
	for _, end := range []error{io.EOF, io.ErrUnexpectedEOF, net.ErrClosed, syscall.ECONNRESET, syscall.EPIPE} {
		if errors.Is(err, end) {
			return true
		}
	}
	return false
}

// isStopped tells a call that its caller gave up.
func isStopped(err error) bool { return errors.Is(err, context.Canceled) && !isTimeout(err) }

// isMalformed tells an answer that is not HTTP, which net/http quotes in errors
// that have no type.
func isMalformed(err error) bool { return strings.Contains(innermost(err).Error(), "malformed ") }

// innermost is what all the wrapping is around.
func innermost(err error) error {
	for next := errors.Unwrap(err); next != nil; next = errors.Unwrap(err) {
		err = next
	}
	return err
}

func isTimeout(err error) bool {
	var timeout interface{ Timeout() bool }
	return errors.Is(err, context.DeadlineExceeded) || errors.As(err, &timeout) && timeout.Timeout()
}

// orAWS names the host that was called, if any was.
func orAWS(host string) string {
	if host == "" {
		return "AWS"
	}
	return host
}
