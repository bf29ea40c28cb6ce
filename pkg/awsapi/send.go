package awsapi

import (
	"net/http"

	"github.com/aws/aws-sdk-go-v2/aws"
)

// Client returns the HTTP client that calls AWS's APIs, with its proxy, CA bundle
// and time limits.
func (a *API) Client() aws.HTTPClient { return a.cfg.HTTPClient }

// Send sends a request that is not the SDK's, such as one to a registry. The
// answer's body is limited. The error is an *Error, like that of Call. An answer is
// not an error, whatever its status. Send follows redirects only if the client
// does.
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

// Clean removes all known secrets from text that comes from outside, and shortens it
// to one line for a message.
func (a *API) Clean(text string) string { return a.clean(text) }
