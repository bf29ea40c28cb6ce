package awsapi

import (
	"cmp"
	"context"
	"sync/atomic"
	"time"
)

// The SDK's own retries are off. They would continue until the deadline, and the
// error would hide the last cause. They would also multiply if one call needed
// another service's answer.

// MaxAttempts is the largest number of attempts of one call, unless
// AWS_MAX_ATTEMPTS or the profile sets another one.
const MaxAttempts = 4

// retryBudget is the largest number of retries of all calls of an API together. Without
// it, the attempts would add up when several services fail.
const retryBudget = 8

type budgetKey struct{}

// WithBudget returns a context whose calls have a retry budget of their own. A caller
// that does several tasks, each with its own deadline, needs it for each task.
func WithBudget(ctx context.Context) context.Context {
	return context.WithValue(ctx, budgetKey{}, new(atomic.Int64))
}

// retriesOf returns the number of retries that were made on the budget of a context.
func (a *API) retriesOf(ctx context.Context) *atomic.Int64 {
	if own, ok := ctx.Value(budgetKey{}).(*atomic.Int64); ok {
		return own
	}
	return &a.retries
}

// Backoff returns how long to wait after the nth failed attempt, counted from 1.
// The wait is a random part of a limit that doubles each time ("full jitter").
// random is a number in [0, 1). After throttling the waits are longer.
func Backoff(n int, throttled bool, random float64) time.Duration {
	base, most := 100*time.Millisecond, 2*time.Second
	if throttled {
		base, most = time.Second, 8*time.Second
	}
	return time.Duration(random * float64(min(base<<min(n-1, 10), most)))
}

// Call makes one call to AWS. It tries until the call succeeds, another attempt
// cannot help, or no attempt or time is left. Its error is the *Error of the last
// attempt. The step, such as "role_1", names the call in the trace.
func Call[T any](ctx context.Context, api *API, step string, call func(context.Context) (T, error)) (T, error) {
	defer api.options.Trace.Step(step)()
	ctx, attempt := withAttempt(ctx)
	retries := api.retriesOf(ctx)
	for n := 1; ; n++ {
		answer, err := call(ctx)
		if err == nil {
			return answer, nil
		}
		failed := api.explain(err, attempt.progress())
		if n >= cmp.Or(api.cfg.RetryMaxAttempts, MaxAttempts) || ctx.Err() != nil || !failed.retried || retries.Add(1) > retryBudget ||
			!wait(ctx, Backoff(n, isThrottled(failed.err), api.options.Random())) {
			var zero T
			return zero, failed
		}
	}
}

// wait waits for d, and reports whether the context is still valid then. It returns
// at once if the context's deadline comes first.
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
