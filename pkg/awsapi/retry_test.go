package awsapi

import (
	"context"
	"errors"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"ecr-cross-account-credential-provider/test/fakeaws"

	"ecr-cross-account-credential-provider/pkg/failure"
)

func TestBackoff(t *testing.T) {
	t.Parallel()
	const almostOne = 1 - 1e-9
	tests := []struct {
		name       string
		throttled  bool
		base, most time.Duration
	}{
		{"fault", false, 100 * time.Millisecond, 2 * time.Second},
		{"throttled", true, time.Second, 8 * time.Second},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			want := test.base
			for n := 1; n <= 100; n++ {
				if got := Backoff(n, test.throttled, 0); got != 0 {
					t.Errorf("Backoff(%d) for random 0: got %s, want 0s", n, got)
				}
				if got := Backoff(n, test.throttled, 0.5); got != want/2 {
					t.Errorf("Backoff(%d) for random 0.5: got %s, want %s", n, got, want/2)
				}
				if got := Backoff(n, test.throttled, almostOne); got > want || want-got > time.Microsecond {
					t.Errorf("Backoff(%d) for random almost 1: got %s, want %s", n, got, want)
				}
				want = min(2*want, test.most)
			}
		})
	}
}

// sequence is an operation. Its attempts fail with one error after the other, and
// then succeed. It notes the time of each attempt.
type sequence struct {
	errors []error
	at     []time.Time
}

func (s *sequence) call(context.Context) (string, error) {
	s.at = append(s.at, time.Now())
	if n := len(s.at); n <= len(s.errors) {
		return "", s.errors[n-1]
	}
	return "answer", nil
}

var (
	errBroken    = sdkError(500, "InternalFailure", "oops")
	errThrottled = sdkError(400, "Throttling", "Rate exceeded")
	errDenied    = sdkError(403, "AccessDenied", "no")
)

// sdkError returns an error like those of the SDK's clients.
func sdkError(status int, code, message string) error {
	return &smithy.OperationError{ServiceID: "STS", OperationName: "AssumeRole", Err: &smithyhttp.ResponseError{
		Response: &smithyhttp.Response{Response: &http.Response{StatusCode: status}},
		Err:      &smithy.GenericAPIError{Code: code, Message: message},
	}}
}

// retryAPI makes an API that waits for half of the time that Backoff allows.
func retryAPI(attempts int) *API {
	api := &API{options: Options{Random: func() float64 { return 0.5 }}}
	api.cfg.RetryMaxAttempts = attempts
	return api
}

func TestRetries(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name     string
		errors   []error
		limit    int
		deadline time.Duration
		attempts int
		took     time.Duration
		want     string // "" is success
	}{
		{"at once", nil, 0, 0, 1, 0, ""},
		{"second time", []error{errBroken}, 0, 0, 2, 50 * time.Millisecond, ""},
		{"last time", []error{errBroken, errBroken, errBroken}, 0, 0, 4, 350 * time.Millisecond, ""},
		{"never", []error{errBroken, errBroken, errBroken, errBroken, errBroken}, 0, 0, 4, 350 * time.Millisecond, "InternalFailure: oops"},
		{"throttled", []error{errThrottled, errThrottled}, 0, 0, 3, 1500 * time.Millisecond, ""},
		{"no more than one", []error{errBroken}, 1, 0, 1, 0, "InternalFailure: oops"},
		{"no more than six", []error{errBroken, errBroken, errBroken, errBroken, errBroken, errBroken}, 6, 0, 6, 1550 * time.Millisecond, "InternalFailure: oops"},
		{"denied", []error{errDenied, errBroken}, 0, 0, 1, 0, "AccessDenied: no"},
		{"the last cause", []error{errBroken, errThrottled, errDenied}, 0, 0, 3, 1050 * time.Millisecond, "AccessDenied: no"},
		{"no room", []error{errThrottled}, 0, 400 * time.Millisecond, 1, 0, "Throttling: Rate exceeded"},
		{"room for one", []error{errBroken, errThrottled}, 0, 400 * time.Millisecond, 2, 50 * time.Millisecond, "Throttling: Rate exceeded"},
		{"just no room", []error{errBroken}, 0, 50 * time.Millisecond, 1, 0, "InternalFailure: oops"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				ctx := t.Context()
				if test.deadline > 0 {
					var cancel context.CancelFunc
					ctx, cancel = context.WithTimeout(ctx, test.deadline)
					defer cancel()
				}
				start := time.Now()
				s := &sequence{errors: test.errors}
				answer, err := Call(ctx, retryAPI(test.limit), "test", s.call)
				if len(s.at) != test.attempts || time.Since(start) != test.took {
					t.Errorf("got %d attempts in %s, want %d in %s", len(s.at), time.Since(start), test.attempts, test.took)
				}
				switch {
				case test.want == "" && (err != nil || answer != "answer"):
					t.Errorf("got %q, %v; want success", answer, err)
				case test.want != "" && (err == nil || err.Error() != test.want || answer != ""):
					t.Errorf("got %q, %v; want %s", answer, err, test.want)
				}
			})
		})
	}
}

// TestStoppedWaiting: a call that is stopped between two attempts returns the cause at once.
func TestStoppedWaiting(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(100*time.Millisecond, cancel)
		start := time.Now()
		s := &sequence{errors: []error{errThrottled}}
		_, err := Call(ctx, retryAPI(0), "test", s.call)
		if err == nil || err.Error() != "Throttling: Rate exceeded" || time.Since(start) != 100*time.Millisecond || len(s.at) != 1 {
			t.Errorf("got %v after %s and %d attempts; want Throttling after 100ms and one", err, time.Since(start), len(s.at))
		}
	})
}

// TestSDKDoesNotRetry: the SDK makes no attempts of its own, which would multiply
// ours.
func TestSDKDoesNotRetry(t *testing.T) {
	t.Parallel()
	for limit, want := range map[string]int{"": MaxAttempts, "1": 1, "2": 2, "6": 6} {
		t.Run("AWS_MAX_ATTEMPTS="+limit, func(t *testing.T) {
			t.Parallel()
			_, server := startAWS(t, fakeaws.Options{}, time.Minute)
			server.Break(fakeaws.ECR, fakeaws.Broken(0))
			env := append(server.Env(), staticKeys...)
			if limit != "" {
				env = append(env, "AWS_MAX_ATTEMPTS="+limit)
			}
			if out := inChild(t, "token", env); out != "ServerException: We made a mistake" {
				t.Errorf("got %s, want the error of the fake", out)
			}
			if calls := server.Calls(); len(calls) != want {
				t.Errorf("got %d calls, want %d", len(calls), want)
			}
		})
	}
}

// TestClockSkew: if AWS refuses a signature because of its date, the SDK signs the
// request again with the time of AWS's clock. If the clocks agree, it does not.
func TestClockSkew(t *testing.T) {
	t.Parallel()
	for name, offset := range map[string]time.Duration{"ahead": -time.Hour, "behind": time.Hour, "right": 0} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			aws := func() time.Time { return time.Now().Add(offset) }
			var dates []string
			api, _ := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				dates = append(dates, r.Header.Get("X-Amz-Date"))
				w.Header().Set("Date", aws().UTC().Format(http.TimeFormat))
				signed, err := time.Parse("20060102T150405Z", r.Header.Get("X-Amz-Date"))
				if offset != 0 && err == nil && aws().Sub(signed).Abs() < time.Hour/2 {
					wire{status: 200, body: "{}"}.ServeHTTP(w, r)
					return
				}
				jsonError(400, "InvalidSignatureException", "Signature expired").ServeHTTP(w, r)
			}), false)
			err := getToken(t.Context(), api)
			if offset == 0 {
				wantError(t, err, failure.Misconfigured, "InvalidSignatureException: ")
			} else if err != nil {
				t.Errorf("got %v, signed at %q; want a second signature", err, dates)
			}
			want := map[bool]int{true: 1, false: 2}[offset == 0]
			if len(dates) != want {
				t.Errorf("got %d requests, want %d: %v", len(dates), want, err)
			}
			if difference := api.Skew() - offset; difference.Abs() > time.Hour/2 {
				t.Errorf("got a skew of %s, want about %s", api.Skew(), offset)
			}
		})
	}
}

func TestErrorKeepsItsCause(t *testing.T) {
	t.Parallel()
	_, err := Call(t.Context(), retryAPI(0), "test", (&sequence{errors: []error{errDenied}}).call)
	if !errors.Is(err, errDenied) {
		t.Errorf("got %v, want an error that wraps %v", err, errDenied)
	}
}

// TestRetryBudget: if call after call fails, the number of attempts stays limited. Each
// context of WithBudget has its own limit, whatever the other calls of the API need.
func TestRetryBudget(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		api := retryAPI(0)
		for _, ctx := range []context.Context{t.Context(), WithBudget(t.Context()), WithBudget(t.Context())} {
			attempts := 0
			for range 5 {
				s := &sequence{errors: []error{errBroken, errBroken, errBroken, errBroken}}
				if _, err := Call(ctx, api, "test", s.call); err == nil {
					t.Error("got no error, want one")
				}
				attempts += len(s.at)
			}
			if want := 5 + retryBudget; attempts != want {
				t.Errorf("got %d attempts, want %d: one for each call, and %d more", attempts, want, retryBudget)
			}
		}
	})
}
