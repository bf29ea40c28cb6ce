package doctor

import (
	"encoding/base64"
	"encoding/json"
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

// TestDeniedImport: the missing statement allows the denied action, even if nothing in the
// configuration says that the repository belongs to a pull-through cache.
func TestDeniedImport(t *testing.T) {
	t.Parallel()
	const action = "ecr:BatchImportUpstreamImage"
	for reason, policy := range map[string]string{
		"identity-based": permissionsPolicy, "resource-based": repositoryPolicy, "VPC endpoint": endpointPolicy,
	} {
		t.Run(reason, func(t *testing.T) {
			t.Parallel()
			n := newNode(t)
			n.aws.Break(fakeaws.Registry, fakeaws.Fault{
				Kind: fakeaws.Error, Operation: "GET /v2/team-a/app/manifests/v1", Status: 403, Code: "DENIED",
				Message: "User: arn:aws:sts::444455556666:assumed-role/ecr-pull/i-0 is not authorized to perform: " + action +
					" on resource: " + repositoryARN + " because no " + reason + " policy allows the " + action + " action",
			})
			report := n.examine()
			v, _ := report.Verdict()
			if v.Missing == nil {
				t.Fatalf("got no missing statement, want one\n%s", text(t, report))
			}
			statement, err := json.Marshal(v.Missing.Statement)
			if err != nil || v.Missing.Kind != policy || !strings.Contains(string(statement), action) {
				t.Errorf("got a %s %s, %v, want a %s with %s", v.Missing.Kind, statement, err, policy, action)
			}
		})
	}
}
