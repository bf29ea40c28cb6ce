package awsapi

import (
	"net/http"

	"github.com/aws/aws-sdk-go-v2/aws"
)

// Client returns the client with which AWS's APIs are called: its proxy, its CA
// bundle, its time limits.
func (a *API) Client() aws.HTTPClient { return a.cfg.HTTPClient }

// Send sends a request that is none of the SDK's, such as one to a registry. The
// answer's body is bounded. The error is an *Error, as Call's is. An answer of any
// status is no error, and no redirect is followed if the client follows none.
func (a *API) Send(client aws.HTTPClient, request *http.Request) (*http.Response, error) {
	ctx, attempt := withAttempt(request.Context())
	resp, err := client.Do(request.WithContext(attempt.watch(ctx, request.Method, request.URL)))
	if err != nil {
		attempt.end(0, err)
		return nil, a.explain(err, attempt.progress())
	}
	resp.Body = bounded(resp.Body, maxBody, func(error) {})
	return resp, nil
}

// Clean makes text from outside fit for a message: without any secret that is known,
// and in one line.
func (a *API) Clean(text string) string { return a.clean(text) }
