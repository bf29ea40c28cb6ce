package awsapi

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/smithy-go"
)

// The SDK's own retries are off: they go on until the deadline takes the last
// cause away, and multiply where one service is asked on behalf of another.

// MaxAttempts is how often one call is made at most, unless AWS_MAX_ATTEMPTS or
// the profile says otherwise.
const MaxAttempts = 4

// retryBudget is how often calls are made anew in all, whatever the number of
// services that one request has to ask: where several are in trouble, each call's
// own attempts would add up.
const retryBudget = 8

// attemptsOf is what AWS_MAX_ATTEMPTS or the profile says, 0 if neither does. The
// SDK does not read it for who brings a Retryer.
func attemptsOf(ctx context.Context, sources []any) int {
	for _, source := range sources {
		if s, ok := source.(interface {
			GetRetryMaxAttempts(context.Context) (int, bool, error)
		}); ok {
			if n, found, err := s.GetRetryMaxAttempts(ctx); found && err == nil {
				return n
			}
		}
	}
	return 0
}

// Backoff is how long to wait after the nth failed attempt, n counting from 1:
// anything up to a limit that doubles each time ("full jitter"), random being a
// number of [0, 1). Throttling is answered with longer waits.
func Backoff(n int, throttled bool, random float64) time.Duration {
	base, most := 100*time.Millisecond, 2*time.Second
	if throttled {
		base, most = time.Second, 8*time.Second
	}
	return time.Duration(random * float64(min(base<<min(n-1, 10), most)))
}

// withRetries makes a call until it succeeds, can't be helped, or there is no
// time left for another attempt; the error is the last attempt's.
func withRetries[T any](ctx context.Context, a *API, call func(context.Context) (T, error)) (T, error) {
	limit := MaxAttempts
	if a.cfg.RetryMaxAttempts > 0 {
		limit = a.cfg.RetryMaxAttempts
	}
	for n := 1; ; n++ {
		answer, err := call(ctx)
		if err == nil {
			return answer, nil
		}
		err = attemptOf(ctx).complete(err)
		if n >= limit || ctx.Err() != nil || !isRetryable(err) {
			return answer, err
		}
		if a.retries.Add(1) > retryBudget || !wait(ctx, Backoff(n, isThrottled(err), a.options.Random())) {
			return answer, err
		}
	}
}

// wait is false where the context ends first, without waiting for that.
func wait(ctx context.Context, d time.Duration) bool {
	//nolint:forbidigo // the deadlines of contexts are in real time
	if end, ok := ctx.Deadline(); ok && time.Until(end) <= d {
		return false
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// isRetryable tells what another attempt may cure.
func isRetryable(err error) bool {
	var certificate *tls.CertificateVerificationError
	var dns *net.DNSError
	var insecure *insecureEndpointError
	var process *processError
	var api smithy.APIError
	var network net.Error
	switch {
	case errors.As(err, &certificate), errors.As(err, &insecure), errors.As(err, &process):
		return false
	case errors.As(err, &dns):
		return !dns.IsNotFound
	case isClockSkew(err):
		return true // the SDK has learned the difference from the answer
	case errors.As(err, &api):
		return isTransient(err, api.ErrorCode())
	case statusOf(err) != 0:
		return statusOf(err) < http.StatusMultipleChoices || statusOf(err) >= http.StatusInternalServerError
	}
	return errors.As(err, &network) || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)
}

func isThrottled(err error) bool {
	return retry.IsErrorThrottles(retry.DefaultThrottles).IsErrorThrottle(err).Bool()
}

// isClockSkew tells a signature that was refused because the node's clock is
// wrong, which the SDK marks.
func isClockSkew(err error) bool {
	var marked interface{ RetryableError() bool }
	return errors.As(err, &marked) && marked.RetryableError()
}
