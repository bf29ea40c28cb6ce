package fakeaws

import (
	"encoding/json"
	"net/http"
	"testing"
	"time"
)

const (
	tokenPath       = "/latest/api/token"
	credentialsPath = "/latest/meta-data/iam/security-credentials/"
	documentPath    = "/latest/dynamic/instance-identity/document"
)

// TestMetadataNeedsToken: requests of version 1, without a token, are refused.
func TestMetadataNeedsToken(t *testing.T) {
	t.Parallel()
	s := start(t, ExampleWorld(), Options{})
	tests := []struct {
		name, method, path string
		header             http.Header
		status             int
	}{
		{"role, version 1", http.MethodGet, credentialsPath, nil, http.StatusUnauthorized},
		{"credentials, version 1", http.MethodGet, credentialsPath + "node", nil, http.StatusUnauthorized},
		{"document, version 1", http.MethodGet, documentPath, nil, http.StatusUnauthorized},
		{"wrong token", http.MethodGet, documentPath, http.Header{"X-Aws-Ec2-Metadata-Token": {"wrong"}}, http.StatusUnauthorized},
		{"token by GET", http.MethodGet, tokenPath, http.Header{"X-Aws-Ec2-Metadata-Token-Ttl-Seconds": {"60"}}, http.StatusBadRequest},
		{"token without a life", http.MethodPut, tokenPath, nil, http.StatusBadRequest},
		{"token", http.MethodPut, tokenPath, http.Header{"X-Aws-Ec2-Metadata-Token-Ttl-Seconds": {"60"}}, http.StatusOK},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			if got := get(t, s, test.method, test.path, test.header); got.status != test.status {
				t.Errorf("got %+v, want %d", got, test.status)
			}
		})
	}
}

// withToken returns the header of a request of version 2.
func withToken(t *testing.T, s *Server) http.Header {
	t.Helper()
	token := get(t, s, http.MethodPut, tokenPath, http.Header{"X-Aws-Ec2-Metadata-Token-Ttl-Seconds": {"60"}})
	return http.Header{"X-Aws-Ec2-Metadata-Token": {token.text}}
}

func TestMetadata(t *testing.T) {
	t.Parallel()
	s := start(t, ExampleWorld(), Options{})
	header := withToken(t, s)
	if got := get(t, s, http.MethodGet, credentialsPath, header); got.text != "node" {
		t.Errorf("got %+v, want node", got)
	}
	var c struct{ AccessKeyID, SecretAccessKey, Token string }
	got := get(t, s, http.MethodGet, credentialsPath+"node", header)
	if err := json.Unmarshal([]byte(got.text), &c); err != nil {
		t.Fatal(err)
	}
	issued, ok := s.World.credentials(c.AccessKeyID)
	if !ok || issued.SecretAccessKey != c.SecretAccessKey || issued.SessionToken != c.Token || issued.Role != nodeRole || issued.Chained {
		t.Errorf("got %+v for %+v, want the credentials of %s", got, issued, nodeRole)
	}
	if got := assume(t, s, issued, firstRole, "3600", ""); got.status != http.StatusOK {
		t.Errorf("the node can't assume a role: got %+v, want 200", got)
	}
	var document struct{ InstanceID, Region, AccountID string }
	got = get(t, s, http.MethodGet, documentPath, header)
	if err := json.Unmarshal([]byte(got.text), &document); err != nil || document.InstanceID != "i-0123456789abcdef0" ||
		document.Region != "eu-west-1" || document.AccountID != NodeAccount {
		t.Errorf("got %+v, %v, want the node's document", got, err)
	}
	for _, path := range []string{credentialsPath + "other", "/latest/user-data", "/"} {
		if got := get(t, s, http.MethodGet, path, header); got.status != http.StatusNotFound {
			t.Errorf("%s: got %+v, want 404", path, got)
		}
	}
}

func TestNoInstanceProfile(t *testing.T) {
	t.Parallel()
	s := start(t, NewWorld(Node{InstanceID: "i-0", Region: "eu-west-1"}), Options{})
	for _, path := range []string{credentialsPath, credentialsPath + "node"} {
		if got := get(t, s, http.MethodGet, path, withToken(t, s)); got.status != http.StatusNotFound {
			t.Errorf("%s: got %+v, want 404", path, got)
		}
	}
}

// TestTokens: only its own world can read a token, and only until the token expires.
func TestTokens(t *testing.T) {
	t.Parallel()
	s := start(t, ExampleWorld(), Options{})
	as := session(s.World, firstRole, time.Hour, true)
	private := password(t, s, ecrRequest(s), "ecr", "us-west-2", as)
	public := password(t, s, publicRequest(s), "ecr-public", "us-east-1", as)
	for secret, region := range map[string]string{private: "us-west-2", public: "public"} {
		g, err := s.World.ReadToken(secret)
		if err != nil || g.Principal != as.Principal || g.Role != firstRole || g.Region != region || g.Account() != FirstAccount {
			t.Errorf("got %+v, %v, want a token of %s for %s", g, err, firstRole, region)
		}
		if left := g.Expires.Sub(s.World.Now()); left < 11*time.Hour || left > 12*time.Hour {
			t.Errorf("the token is valid for %s, want 11h to 12h", left)
		}
		if g, err := ExampleWorld().ReadToken(secret); err == nil {
			t.Errorf("another world reads %+v, want an error", g)
		}
	}
	for i := range private {
		forged := []byte(private)
		forged[i]++
		if g, err := s.World.ReadToken(string(forged)); err == nil {
			t.Errorf("letter %d changed: got %+v, want an error", i, g)
		}
	}
	for _, forged := range []string{"", ".", "ECRTOKEN", "ECRTOKEN.", "a.b", private + "A", private[:len(private)-1]} {
		if g, err := s.World.ReadToken(forged); err == nil {
			t.Errorf("token %q: got %+v, want an error", forged, g)
		}
	}
	s.World.SetSkew(13 * time.Hour)
	if _, err := s.World.ReadToken(private); err == nil {
		t.Error("an expired token is accepted, want an error")
	}
}

func TestDenyToken(t *testing.T) {
	t.Parallel()
	s := start(t, ExampleWorld(), Options{})
	s.World.SetRole(Role{ARN: nodeRole, DenyToken: true})
	by := signing{session(s.World, nodeRole, time.Hour, false), "ecr", "eu-west-1", s.World.Now()}
	got := send(t, newClient(t, s), ecrRequest(s).sign(t, by))
	if got.status != http.StatusBadRequest || got.code != "AccessDeniedException" {
		t.Errorf("got %+v, want AccessDeniedException", got)
	}
}
