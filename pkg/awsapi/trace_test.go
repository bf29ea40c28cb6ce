package awsapi

import (
	"net/http"
	"slices"
	"testing"
	"time"

	"ecr-cross-account-credential-provider/pkg/trace"
)

// TestTraceSecrets: a secret that a server returns as its request ID does not reach
// the trace.
func TestTraceSecrets(t *testing.T) {
	t.Parallel()
	answer := wire{status: 200, header: http.Header{"X-Amzn-Requestid": {"id " + secrets.SessionToken}}, body: "{}"}
	api := apiOver(t, answer.answer)
	api.options.Trace = trace.Start(time.Now)
	if err := getToken(t.Context(), api); err != nil {
		t.Fatal(err)
	}
	if got, want := api.options.Trace.RequestIDs(), []string{"id [redacted]"}; !slices.Equal(got, want) {
		t.Errorf("got request IDs %q, want %q", got, want)
	}
}

// TestTrace: the trace has a step for each call, and the request ID of each answer.
func TestTrace(t *testing.T) {
	t.Parallel()
	answers := []wire{
		{status: 500, header: http.Header{"X-Amzn-Requestid": {"first"}}},
		{status: 200, header: http.Header{"X-Amzn-Requestid": {"sec\tond"}}, body: "{}"},
	}
	api := apiOver(t, func(r *http.Request) (*http.Response, error) {
		next := answers[0]
		answers = answers[1:]
		return next.answer(r)
	})
	api.options.Trace = trace.Start(time.Now)
	if err := getToken(t.Context(), api); err != nil {
		t.Fatal(err)
	}
	if got, want := api.options.Trace.RequestIDs(), []string{"first", "sec ond"}; !slices.Equal(got, want) {
		t.Errorf("got request IDs %q, want %q", got, want)
	}
	if steps := api.options.Trace.Steps(); len(steps) != 1 || steps[0].Name != "test" || api.options.Trace.Running() != "" {
		t.Errorf("got steps %v, running %q; want one step that has ended", steps, api.options.Trace.Running())
	}
}
