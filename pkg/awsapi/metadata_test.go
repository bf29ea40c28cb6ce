package awsapi

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"ecr-cross-account-credential-provider/test/fakeaws"
)

// staticKeys are credentials for a child that need no metadata service.
var staticKeys = []string{
	"AWS_ACCESS_KEY_ID=" + secrets.AccessKeyID, "AWS_SECRET_ACCESS_KEY=" + secrets.SecretAccessKey,
	"AWS_SESSION_TOKEN=" + secrets.SessionToken, "AWS_REGION=eu-west-1",
}

// TestProxies: the API goes through the environment's proxy, metadata through
// none, and neither over plain http to strangers.
func TestProxies(t *testing.T) {
	t.Parallel()
	env := []string{
		"HTTP_PROXY=http://proxy.example:3128", "HTTPS_PROXY=http://proxy.example:3128", "ALL_PROXY=http://proxy.example:3128",
		"http_proxy=http://proxy.example:3128", "https_proxy=http://proxy.example:3128", "NO_PROXY=.direct.example",
	}
	refused := func(host string) string {
		return "the endpoint http://" + host + " is plain http; want https, or an address of loopback"
	}
	tests := []struct{ url, api, metadata string }{
		{"https://sts.eu-west-1.amazonaws.com", "http://proxy.example:3128 <nil>", "<nil> <nil>"},
		{"https://sts.direct.example", "<nil> <nil>", "<nil> <nil>"},
		{"http://169.254.169.254/latest/api/token", "<nil> " + refused("169.254.169.254"), "<nil> <nil>"},
		{"http://[fd00:ec2::254]/latest/api/token", "<nil> " + refused("[fd00:ec2::254]"), "<nil> <nil>"},
		{"http://169.254.170.23/v1/credentials", "<nil> " + refused("169.254.170.23"), "<nil> <nil>"},
		{"http://192.0.2.1", "<nil> " + refused("192.0.2.1"), "<nil> " + refused("192.0.2.1")},
	}
	for _, test := range tests {
		t.Run(test.url, func(t *testing.T) {
			t.Parallel()
			want := "api " + test.api + "\nmetadata " + test.metadata
			if got := inChild(t, "proxies", env, test.url); got != want {
				t.Errorf("got\n%s\nwant\n%s", got, want)
			}
		})
	}
}

// TestProxyOfAPI: a proxy that says no is told as such.
func TestProxyOfAPI(t *testing.T) {
	t.Parallel()
	asked := &requests{next: wire{status: http.StatusForbidden}}
	proxy := httptest.NewServer(asked)
	t.Cleanup(proxy.Close)
	env := append([]string{"HTTPS_PROXY=" + proxy.URL}, staticKeys...)
	if got := inChild(t, "token", env); !strings.Contains(got, "Forbidden") {
		t.Error(got)
	}
	if !slices.Contains(asked.seen(), "CONNECT api.ecr.eu-west-1.amazonaws.com:443") {
		t.Errorf("the proxy was asked %q", asked.seen())
	}
}

// requests notes each request; those with a token of IMDSv2 are marked.
type requests struct {
	next http.Handler
	mu   sync.Mutex
	all  []string
}

func (q *requests) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	q.mu.Lock()
	line := r.Method + " " + r.URL.Path
	if r.Method == http.MethodConnect {
		line = r.Method + " " + r.Host
	}
	if r.Header.Get("X-Aws-Ec2-Metadata-Token") != "" {
		line += " with a token"
	}
	q.all = append(q.all, line)
	q.mu.Unlock()
	q.next.ServeHTTP(w, r)
}

func (q *requests) seen() []string {
	q.mu.Lock()
	defer q.mu.Unlock()
	return slices.Clone(q.all)
}

// version1 serves IMDSv1 to whoever asks, and no token.
type version1 struct{ status int }

func (v version1) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch {
	case r.Method == http.MethodPut && v.status == 0:
		<-r.Context().Done()
	case r.Method == http.MethodPut:
		w.WriteHeader(v.status)
	case strings.HasSuffix(r.URL.Path, "/security-credentials/"):
		_, _ = w.Write([]byte("role"))
	case strings.Contains(r.URL.Path, "/security-credentials/"):
		_, _ = w.Write([]byte(`{"Code":"Success","Type":"AWS-HMAC","AccessKeyId":"ASIA","SecretAccessKey":"SECRETKEY","Token":"SESSIONTOKEN","Expiration":"2100-01-01T00:00:00Z","LastUpdated":"2020-01-01T00:00:00Z"}`))
	default:
		_, _ = w.Write([]byte(`{"instanceId":"i-1","region":"eu-west-1","accountId":"111122223333"}`))
	}
}

// TestNoIMDSv1: where version 2 has no token to give, nothing else is asked,
// whatever the environment and the profile allow.
func TestNoIMDSv1(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "config")
	if err := os.WriteFile(file, []byte("[default]\nec2_metadata_v1_disabled = false\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, status := range []int{0, 200, 400, 401, 403, 404, 405, 500} {
		for _, what := range []string{"node", "instance"} {
			name := what + ", " + http.StatusText(status)
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				seen := &requests{next: version1{status}}
				server := httptest.NewServer(seen)
				t.Cleanup(server.Close)
				got := inChild(t, what, []string{
					"AWS_EC2_METADATA_SERVICE_ENDPOINT=" + server.URL, "AWS_EC2_METADATA_V1_DISABLED=false", "AWS_CONFIG_FILE=" + file,
				})
				if strings.HasPrefix(got, "ok") {
					t.Error(got)
				}
				wantLine(t, got)
				for _, request := range seen.seen() {
					if request != "PUT /latest/api/token" {
						t.Errorf("asked %s", request)
					}
				}
			})
		}
	}
}

// TestMetadata asks a service that is as it should be.
func TestMetadata(t *testing.T) {
	t.Parallel()
	_, server := startAWS(t, fakeaws.Options{}, 0)
	if got := inChild(t, "node", server.Env()); got != "ok, from EC2RoleProvider" {
		t.Error(got)
	}
	if got := inChild(t, "instance", server.Env()); got != "ok, i-0123456789abcdef0 eu-west-1 111122223333" {
		t.Error(got)
	}
}

// TestMetadataSettings: the environment and the profile say where the metadata
// service is, and whether there is one, as for any other program of the SDK's.
func TestMetadataSettings(t *testing.T) {
	t.Parallel()
	_, server := startAWS(t, fakeaws.Options{}, 0)
	file := filepath.Join(t.TempDir(), "config")
	if err := os.WriteFile(file, []byte("[default]\nec2_metadata_service_endpoint = "+server.URL(fakeaws.IMDS)+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name string
		env  []string
		want string
	}{
		{"off", append(server.Env(), "AWS_EC2_METADATA_DISABLED=true"), "AWS_EC2_METADATA_DISABLED is set"},
		{"in the profile", []string{"AWS_CONFIG_FILE=" + file}, "ok, i-0123456789abcdef0 eu-west-1 111122223333"},
		{"plain http to strangers", []string{"AWS_EC2_METADATA_SERVICE_ENDPOINT=http://192.0.2.1"}, "the endpoint http://192.0.2.1 is plain http; want https, or an address of loopback"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			if got := inChild(t, "instance", test.env); got != test.want {
				t.Errorf("got %s, want %s", got, test.want)
			}
		})
	}
}

// TestMetadataRedirect: nobody sends the metadata's token elsewhere.
func TestMetadataRedirect(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(wire{status: http.StatusTemporaryRedirect, header: http.Header{"Location": {"http://192.0.2.1/"}}})
	t.Cleanup(server.Close)
	want := "the endpoint http://192.0.2.1 is plain http; want https, or an address of loopback"
	if got := inChild(t, "instance", []string{"AWS_EC2_METADATA_SERVICE_ENDPOINT=" + server.URL}); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}
