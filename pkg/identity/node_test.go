package identity

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"ecr-cross-account-credential-provider/test/fakeaws"
)

// TestNode: on an EC2 instance, the account, the name and the region come from
// IMDS. Node requests the identity document only once.
func TestNode(t *testing.T) {
	t.Parallel()
	alone(t)
	node := newChain(t).Node
	for range 3 {
		account, err := node.Account(t.Context())
		if err != nil || account.String() != fakeaws.NodeAccount {
			t.Fatalf("got account %s, %v; want %s", account, err, fakeaws.NodeAccount)
		}
		if region, err := node.Region(t.Context()); node.Name(t.Context()) != "i-0123456789abcdef0" || region.String() != "eu-west-1" || err != nil {
			t.Errorf("got name %s, region %s, %v; want i-0123456789abcdef0, eu-west-1", node.Name(t.Context()), region, err)
		}
	}
	documents := 0
	for _, call := range fake.Calls(fakeaws.IMDS) {
		if strings.Contains(call.Operation, "document") {
			documents++
		}
	}
	if sts := fake.Calls(fakeaws.STS); len(sts) > 0 || documents > 1 {
		t.Errorf("got %d requests for the document, STS calls %v; want at most one, and no STS calls", documents, sts)
	}
}

// TestNodeWithoutIMDS: the node's name is the host name, and its region is unknown.
func TestNodeWithoutIMDS(t *testing.T) {
	t.Parallel()
	alone(t)
	fake.Break(fakeaws.IMDS, fakeaws.Broken(0))
	node := newChain(t).Node
	if region, err := node.Region(t.Context()); node.Name(t.Context()) != "host-1" || !region.IsZero() || err != nil {
		t.Errorf("got name %s, region %s, %v; want host-1, no region", node.Name(t.Context()), region, err)
	}
	_, err := node.Session(t.Context())
	if err == nil || !strings.HasPrefix(err.Error(), "no AWS credentials on this node: ") || !strings.Contains(err.Error(), "; check that the instance metadata service is on") {
		t.Errorf("got %v, want no AWS credentials on this node, and the hint about IMDS", err)
	}
}

// TestSessionKeepsSecrets: no format prints a session's credentials.
func TestSessionKeepsSecrets(t *testing.T) {
	t.Parallel()
	s := NewSession(aws.Credentials{AccessKeyID: "ASIA", SecretAccessKey: "hunter2", SessionToken: "hunter2"}, "the node", time.Time{})
	inside := struct{ s Session }{s}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%d", "%q", "%x", "%p"} {
		if text := fmt.Sprintf(verb+verb, s, inside); strings.Contains(text, "hunter2") || strings.Contains(text, "68756e746572") {
			t.Errorf("%s: got %s, want no secret", verb, text)
		}
	}
	if c := s.Credentials(); c.SecretAccessKey != "hunter2" || c.SessionToken != "hunter2" || c.AccessKeyID != "ASIA" {
		t.Error("got other credentials than those of NewSession")
	}
}
