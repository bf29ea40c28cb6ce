package main

import (
	"net/http"
	"net/http/httptest"
	"testing"
)

// TestECRChecks: ECR's checks refuse these requests, except the one to a host that is
// not ECR. The cases of the nodes prove that valid requests are accepted.
func TestECRChecks(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name           string
		host, target   string
		user, password string
		status         int
	}{
		{name: "nobody", host: firstRegistry, target: "/v2/team-a/app/manifests/1", status: http.StatusUnauthorized},
		{name: "nobody, at the root", host: firstRegistry, target: "/v2/", status: http.StatusUnauthorized},
		{name: "nobody, for a blob", host: firstRegistry, target: "/v2/team-a/app/blobs/sha256:0", status: http.StatusUnauthorized},
		{name: "nobody, with a port", host: firstRegistry + ":443", target: "/v2/", status: http.StatusUnauthorized},
		{name: "another user", host: firstRegistry, target: "/v2/", user: "me", password: "x", status: http.StatusUnauthorized},
		{name: "a token of another world", host: firstRegistry, target: "/v2/", user: "AWS", password: "ECRTOKENx.y", status: http.StatusForbidden},
		{name: "nobody, by a mirror", host: mirrorHost, target: "/v2/team-a/app/manifests/1?ns=" + firstRegistry, status: http.StatusUnauthorized},
		{name: "not ECR", host: sandboxHost, target: "/v2/", status: http.StatusOK},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			r := &registries{world: newWorld(), contents: map[string]*contents{}}
			req := httptest.NewRequestWithContext(t.Context(), http.MethodGet, test.target, nil)
			req.Host = test.host
			if test.user != "" {
				req.SetBasicAuth(test.user, test.password)
			}
			answer := httptest.NewRecorder()
			r.ServeHTTP(answer, req)
			if answer.Code != test.status {
				t.Errorf("got %d, want %d", answer.Code, test.status)
			}
			if log := r.accesses(); len(log) != 1 || log[0].status != test.status {
				t.Errorf("got the log %v, want one request with status %d", log, test.status)
			}
		})
	}
}
