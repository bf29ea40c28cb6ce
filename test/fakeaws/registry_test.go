package fakeaws

import (
	"crypto/tls"
	"crypto/x509"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// throughProxy returns a client that uses AWS's host names through the proxy.
func throughProxy(t *testing.T, s *Server) *http.Client {
	t.Helper()
	ca, err := os.ReadFile(s.CAFile())
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(ca)
	proxy, err := url.Parse(s.URL(Proxy))
	if err != nil {
		t.Fatal(err)
	}
	transport := &http.Transport{Proxy: http.ProxyURL(proxy), TLSClientConfig: &tls.Config{RootCAs: roots}}
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
}

// askRegistry returns an answer's Location. If there is none, it returns status and body
// as one line.
func askRegistry(t *testing.T, client *http.Client, method, address, password string) string {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, address, nil)
	if err != nil {
		t.Fatal(err)
	}
	if password != "" {
		request.SetBasicAuth("AWS", password)
	}
	resp, err := client.Do(request)
	if err != nil {
		return err.Error()
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	if location := resp.Header.Get("Location"); location != "" {
		return location
	}
	return strings.TrimSpace(resp.Status + " " + string(body))
}

func TestRegistry(t *testing.T) {
	t.Parallel()
	world := ExampleWorld()
	role := "arn:aws:iam::" + FirstAccount + ":role/ecr-pull"
	world.SetRole(Role{ARN: role, Pull: []string{"arn:aws:ecr:eu-west-1:" + FirstAccount + ":repository/team-a/*"}})
	config := world.Push(Repository{FirstAccount, "eu-west-1", "team-a/app"}, "v1")
	s, err := Start(world, Options{TLS: true, Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	client := throughProxy(t, s)
	token := func(role, region string, life time.Duration) string {
		return world.mint(Grant{Principal: sessionARN(role, "i-0"), Role: role, Region: region, Expires: time.Now().Add(life)})
	}
	const host = "https://" + FirstAccount + ".dkr.ecr.eu-west-1.amazonaws.com"
	good := token(role, "eu-west-1", time.Hour)
	denied := `403 Forbidden {"errors":[{"code":"DENIED","message":`
	for name, test := range map[string]struct{ method, url, token, want string }{
		"no token":       {"GET", host + "/v2/", "", "401 Unauthorized Not Authorized"},
		"not a token":    {"GET", host + "/v2/", "x", "401 Unauthorized Not Authorized"},
		"expired":        {"GET", host + "/v2/", token(role, "eu-west-1", -time.Hour), denied + `"` + tokenExpired + `"}]}`},
		"another region": {"GET", host + "/v2/", token(role, "us-east-1", time.Hour), denied + `"` + tokenExpired + `"}]}`},
		"accepted":       {"GET", host + "/v2/", good, "200 OK"},
		"head":           {"HEAD", host + "/v2/team-b/app/manifests/v1", good, "403 Forbidden"},
		"not allowed": {
			"GET", host + "/v2/team-b/app/manifests/v1", good, denied + `"User: arn:aws:sts::444455556666:assumed-role/ecr-pull/i-0 is not authorized to perform: ecr:BatchGetImage ` +
				`on resource: arn:aws:ecr:eu-west-1:444455556666:repository/team-b/app because no identity-based policy allows the ecr:BatchGetImage action"}]}`,
		},
		"no repository": {
			"GET", host + "/v2/team-a/x/manifests/v1", good,
			`404 Not Found {"errors":[{"code":"NAME_UNKNOWN","message":"The repository with name 'team-a/x' does not exist in the registry with id '444455556666'"}]}`,
		},
		"no tag":  {"GET", host + "/v2/team-a/app/manifests/v2", good, `404 Not Found {"errors":[{"code":"MANIFEST_UNKNOWN","message":"Requested image not found"}]}`},
		"nowhere": {"GET", "https://example.com/", "", `Get "https://example.com/": Forbidden`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(test.want, askRegistry(t, client, test.method, test.url, test.token)); diff != "" {
				t.Error(diff)
			}
		})
	}
	if manifest := askRegistry(t, client, "GET", host+"/v2/team-a/app/manifests/v1", good); !strings.Contains(manifest, config) {
		t.Errorf("the manifest does not name its configuration: %s", manifest)
	}
	layer := askRegistry(t, client, "GET", host+"/v2/team-a/app/blobs/"+config, good)
	if got := askRegistry(t, client, "GET", layer, ""); !strings.HasPrefix(got, "200 OK {") {
		t.Errorf("%s: got %s, want 200", layer, got)
	}
	if got := askRegistry(t, client, "GET", layer, good); !strings.Contains(got, "Only one auth mechanism allowed") {
		t.Errorf("with a token: got %s, want Only one auth mechanism allowed", got)
	}
	if got := askRegistry(t, client, "GET", layer[:strings.Index(layer, "?")], ""); !strings.Contains(got, "<Code>AccessDenied</Code>") {
		t.Errorf("without a signature: got %s, want <Code>AccessDenied</Code>", got)
	}
}
