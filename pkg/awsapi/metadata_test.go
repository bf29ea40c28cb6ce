package awsapi

import (
	"fmt"
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

// TestProxies: calls to AWS's APIs use the environment's proxy, and calls for
// metadata use none. Neither kind may use plain http to a remote host.
func TestProxies(t *testing.T) {
	t.Parallel()
	env := []string{
		"HTTP_PROXY=http://proxy.example:3128", "HTTPS_PROXY=http://proxy.example:3128", "ALL_PROXY=http://proxy.example:3128",
		"http_proxy=http://proxy.example:3128", "https_proxy=http://proxy.example:3128", "NO_PROXY=.direct.example",
	}
	refused := func(host string) string {
		return "the endpoint http://" + host + " is not https; want https, or http to a loopback address"
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

// TestProxyOfAPI: a call to AWS goes through the proxy, and the message says that
// the proxy refused.
func TestProxyOfAPI(t *testing.T) {
	t.Parallel()
	asked := &requests{next: wire{status: http.StatusForbidden}}
	proxy := httptest.NewServer(asked)
	t.Cleanup(proxy.Close)
	env := append([]string{"HTTPS_PROXY=" + proxy.URL}, staticKeys...)
	if got := inChild(t, "token", env); !strings.Contains(got, "Forbidden") {
		t.Errorf("got %s, want Forbidden in it", got)
	}
	if !slices.Contains(asked.seen(), "CONNECT api.ecr.eu-west-1.amazonaws.com:443") {
		t.Errorf("got requests %q to the proxy, want CONNECT", asked.seen())
	}
}

// requests notes each request, and marks those with a token of IMDSv2.
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

// version1 serves IMDSv1 without a token.
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

// TestNoIMDSv1: if version 2 gives no token, version 1 is not asked, whatever the
// environment and the profile allow.
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
				if status == 0 { // it never answers
					what = map[string]string{"node": "hurriedNode", "instance": "hurriedInstance"}[what]
				}
				got := inChild(t, what, []string{
					"AWS_EC2_METADATA_SERVICE_ENDPOINT=" + server.URL, "AWS_EC2_METADATA_V1_DISABLED=false", "AWS_CONFIG_FILE=" + file,
				})
				if strings.HasPrefix(got, "ok") {
					t.Errorf("got %s, want an error", got)
				}
				wantLine(t, got)
				for _, request := range seen.seen() {
					if request != "PUT /latest/api/token" {
						t.Errorf("got request %s, want only PUT /latest/api/token", request)
					}
				}
			})
		}
	}
}

// TestMetadata asks a metadata service that works.
func TestMetadata(t *testing.T) {
	t.Parallel()
	_, server := startAWS(t, fakeaws.Options{}, 0)
	if got := inChild(t, "node", server.Env()); got != "ok, from EC2RoleProvider" {
		t.Errorf("got %s, want credentials from EC2RoleProvider", got)
	}
	if got := inChild(t, "instance", server.Env()); got != "ok, i-0123456789abcdef0 eu-west-1 111122223333" {
		t.Errorf("got %s, want the example instance", got)
	}
}

// TestMetadataSettings: the environment and the profile set the metadata service's
// address, as for other programs that use the SDK. The environment can also turn
// the service off.
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
		{"plain http to another host", []string{"AWS_EC2_METADATA_SERVICE_ENDPOINT=http://192.0.2.1"}, "the endpoint http://192.0.2.1 is not https; want https, or http to a loopback address"},
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

// TestMetadataRedirect: no redirect is followed, not even to a host that may get a
// token. The SDK alone would follow the redirects of some statuses.
func TestMetadataRedirect(t *testing.T) {
	t.Parallel()
	const metadata, container = "AWS_EC2_METADATA_SERVICE_ENDPOINT=", "AWS_CONTAINER_CREDENTIALS_FULL_URI="
	for _, status := range []int{301, 302, 303, 307, 308} {
		for _, test := range []struct{ child, variable, method string }{
			{"instance", metadata, http.MethodPut},
			{"instance", metadata, http.MethodGet},
			{"node", metadata, http.MethodPut},
			{"node", metadata, http.MethodGet},
			{"node", container, http.MethodGet},
		} {
			t.Run(fmt.Sprint(test, status), func(t *testing.T) {
				t.Parallel()
				elsewhere := &requests{next: wire{status: 200, body: "{}"}}
				target := httptest.NewServer(elsewhere)
				t.Cleanup(target.Close)
				server := httptest.NewServer(redirecting{wire{status: status, header: http.Header{"Location": {target.URL + "/"}}}, test.method})
				t.Cleanup(server.Close)
				got := inChild(t, test.child, []string{test.variable + server.URL, "AWS_CONTAINER_AUTHORIZATION_TOKEN=open-sesame"})
				if want := hostOfURL(server.URL) + " redirected the request to " + hostOfURL(target.URL) + " (redirects are not followed)"; !strings.HasSuffix(got, want) {
					t.Errorf("got %s, want %s", got, want)
				}
				if len(elsewhere.seen()) != 0 {
					t.Errorf("got requests %q to the target, want none", elsewhere.seen())
				}
			})
		}
	}
}

// redirecting redirects requests of one method. It answers other requests with a
// session token.
type redirecting struct {
	wire
	method string
}

func (s redirecting) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method == s.method {
		s.wire.ServeHTTP(w, r)
		return
	}
	w.Header().Set("X-Aws-Ec2-Metadata-Token-Ttl-Seconds", "300")
	_, _ = w.Write([]byte("token"))
}

// TestMetadataCauses: the text and the hint for each answer of the metadata
// service.
func TestMetadataCauses(t *testing.T) {
	t.Parallel()
	const enable = "; turn the instance metadata service on (HttpEndpoint: enabled)"
	tests := []struct {
		name, method string
		status       int
		want         string
	}{
		{"version 1 only", http.MethodPut, 404, "the instance metadata service has no session tokens: HOST answered 404 Not Found; this program uses only version 2 (IMDSv2); enable it"},
		{"version 1 only, 405", http.MethodPut, 405, "the instance metadata service has no session tokens: HOST answered 405 Method Not Allowed; this program uses only version 2 (IMDSv2); enable it"},
		{"off", http.MethodPut, 403, "HOST answered 403 Forbidden (the metadata service is off, or refuses version 2)" + enable},
		{"token refused", http.MethodGet, 401, "HOST answered 401 Unauthorized (the metadata service is off, or refuses version 2)" + enable},
		{"no profile", http.MethodGet, 404, "HOST answered 404 Not Found (no instance profile is attached); attach an instance profile, or set credentials in the provider's env"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			server := httptest.NewServer(redirecting{wire{status: test.status}, test.method})
			t.Cleanup(server.Close)
			got := inChild(t, "hint", []string{"AWS_EC2_METADATA_SERVICE_ENDPOINT=" + server.URL})
			if want := strings.Replace(test.want, "HOST", hostOfURL(server.URL), 1); !strings.HasSuffix(got, "by IMDS: "+want) {
				t.Errorf("got %s, want %s", got, want)
			}
		})
	}
}

// TestContainerAnswers: no answer of a container's endpoint crashes the process,
// and a good answer is read to its end.
func TestContainerAnswers(t *testing.T) {
	t.Parallel()
	const unreadable, refused = "HOST gave an answer that can't be read", "HOST answered 400 Bad Request"
	const good = `{"AccessKeyId":"ASIAEXAMPLE","SecretAccessKey":"x","Token":"y","Expiration":"2100-01-01T00:00:00Z"}`
	tests := []struct {
		name, contentType, body string
		status                  int
		want                    string
	}{
		{"good", "application/json", good, 200, "ok, from CredentialsEndpointProvider"},
		{"good, with spaces", "text/plain", strings.Repeat(" ", 10_000) + good, 200, "ok, from CredentialsEndpointProvider"},
		{"null", "application/json", "null", 200, unreadable},
		{"null, with spaces", "text/plain", " \n null\n", 200, unreadable},
		{"null error", "application/json", "null", 400, refused},
		{"list", "application/json", "[]", 200, unreadable},
		{"text", "application/json", "no", 200, unreadable},
		{"nothing", "application/json", "", 200, unreadable},
		{"endless", "application/json", strings.Repeat(" ", maxBody+1), 200, "HOST: the answer is larger than 1048576 bytes"},
		{"error", "application/json", `{"code":"Bad","message":"no role"}`, 400, "Bad: no role"},
		{"error without a code", "application/json", `{"message":"no role"}`, 400, refused + ": no role"},
		{"error in plain text", "text/plain; charset=utf-8", "no role\n", 400, refused + ": no role"},
		{"empty error", "text/plain; charset=utf-8", "\n", 400, refused + " without a reason"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			server := httptest.NewServer(wire{test.status, http.Header{"Content-Type": {test.contentType}}, test.body})
			t.Cleanup(server.Close)
			want := strings.Replace(test.want, "HOST", hostOfURL(server.URL), 1)
			if got := inChild(t, "node", []string{"AWS_CONTAINER_CREDENTIALS_FULL_URI=" + server.URL, "AWS_MAX_ATTEMPTS=1"}); got != want {
				t.Errorf("got %s, want %s", got, want)
			}
		})
	}
}
