package doctor

import (
	"encoding/base64"
	"strings"
	"testing"

	"ecr-cross-account-credential-provider/test/fakeaws"
)

// TestQuotedToken: a proxy may quote the request's headers in its refusal. The report does
// not repeat the token, neither as ECR's API returns it nor decoded.
func TestQuotedToken(t *testing.T) {
	t.Parallel()
	const password = "PASSWORD-of-the-registry"
	encoded := base64.StdEncoding.EncodeToString([]byte("AWS:" + password))
	n := newNode(t)
	n.aws.Break(fakeaws.ECR, fakeaws.Fault{
		Kind: fakeaws.Answer, Operation: "GetAuthorizationToken",
		Body: `{"authorizationData":[{"authorizationToken":"` + encoded + `","expiresAt":4000000000}]}`,
	})
	n.aws.Break(fakeaws.Registry, fakeaws.Fault{
		Kind: fakeaws.Error, Operation: "GET /v2/", Status: 403, Message: "not this: Basic " + encoded + " of " + password,
	})
	got := text(t, n.examine())
	if !strings.Contains(got, "not this: Basic [redacted] of [redacted]") || strings.Contains(got, encoded) || strings.Contains(got, password) {
		t.Errorf("got %s, want the registry's words without the token", got)
	}
}
