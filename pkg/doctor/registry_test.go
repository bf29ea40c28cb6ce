package doctor

import (
	"crypto/tls"
	"encoding/json"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"ecr-cross-account-credential-provider/test/fakeaws"
)

// fakeRegistry is the registries of a region and the bucket of their layers. It
// answers in the words of ECR and S3.
type fakeRegistry struct {
	address string
	world   *fakeaws.World

	mu    sync.Mutex
	calls []string
	// answer takes a request away before the registry has it, if it returns true.
	answer func(http.ResponseWriter, *http.Request) bool
}

func serveRegistry(t *testing.T, world *fakeaws.World, config *tls.Config) *fakeRegistry {
	t.Helper()
	f := &fakeRegistry{world: world, answer: func(http.ResponseWriter, *http.Request) bool { return false }}
	server := httptest.NewUnstartedServer(f)
	server.TLS = config.Clone()
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.StartTLS()
	t.Cleanup(server.Close)
	f.address = server.Listener.Addr().String()
	return f
}

// requests are all requests so far but the probes.
func (f *fakeRegistry) requests() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.calls
}

// ServeHTTP answers for registry and bucket.
func (f *fakeRegistry) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	_, password, authenticated := r.BasicAuth()
	f.mu.Lock()
	if authenticated || r.URL.RawQuery != "" {
		f.calls = append(f.calls, r.Method+" "+r.Host+r.URL.Path)
	}
	f.mu.Unlock()
	grant, err := f.world.ReadToken(password)
	switch {
	case f.answer(w, r):
	case r.Host == bucket:
		f.serveBucket(w, r)
	case !authenticated || err != nil:
		w.Header().Set("Www-Authenticate", `Basic realm="https://`+r.Host+`/",service="ecr.amazonaws.com"`)
		http.Error(w, "Not Authorized", http.StatusUnauthorized)
	case r.URL.Path == "/v2/":
	default:
		f.serveImage(w, r, grant)
	}
}

func (f *fakeRegistry) serveBucket(w http.ResponseWriter, r *http.Request) {
	if r.URL.RawQuery != "X-Amz-Signature=1" || r.Header.Get("Authorization") != "" {
		w.Header().Set("Content-Type", "application/xml")
		w.WriteHeader(http.StatusForbidden)
		_, _ = io.WriteString(w, "<Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>")
		return
	}
	_, _ = io.WriteString(w, "{}")
}

func (f *fakeRegistry) serveImage(w http.ResponseWriter, r *http.Request, grant fakeaws.Grant) {
	account, _, _ := strings.Cut(r.Host, ".")
	path := strings.TrimPrefix(r.URL.Path, "/v2/")
	repository, rest, _ := strings.Cut(path, "/manifests/")
	if name, _, ok := strings.Cut(path, "/blobs/"); ok {
		repository = name
	}
	if err := f.world.MayPull(grant, fakeaws.Repository{Account: account, Region: "eu-west-1", Name: repository}); err != nil {
		ociError(w, http.StatusForbidden, "DENIED", err.Error())
		return
	}
	switch {
	case repository != "team-a/app":
		ociError(w, http.StatusNotFound, "NAME_UNKNOWN", "name unknown: The repository with name '"+repository+"' does not exist in the registry with id '"+account+"'")
	case rest == "v1":
		_, _ = io.WriteString(w, `{"config":{"digest":"sha256:c0ffee"}}`)
	case strings.HasSuffix(path, "/blobs/sha256:c0ffee"):
		w.Header().Set("Location", "https://"+bucket+"/c0ffee?X-Amz-Signature=1")
		w.WriteHeader(http.StatusTemporaryRedirect)
	default:
		ociError(w, http.StatusNotFound, "MANIFEST_UNKNOWN", "Requested image not found")
	}
}

// ociError writes an error in the registry API's form.
func ociError(w http.ResponseWriter, status int, code, message string) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]any{"errors": []any{map[string]string{"code": code, "message": message}}})
}
