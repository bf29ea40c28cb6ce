package pull

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"ecr-cross-account-credential-provider/pkg/secret"
)

const (
	host   = "444455556666.dkr.ecr.eu-west-1.amazonaws.com"
	bucket = "prod-eu-west-1-starport-layer-bucket.s3.eu-west-1.amazonaws.com"
	login  = "AWS:PASSWORD-of-the-registry"
)

// serve serves the registry and the bucket by one handler. It returns a registry
// that connects there.
func serve(t *testing.T, handle http.HandlerFunc) Registry {
	t.Helper()
	server := httptest.NewTLSServer(handle)
	t.Cleanup(server.Close)
	config := &tls.Config{InsecureSkipVerify: true}
	client := &http.Client{
		Transport: &http.Transport{DialTLSContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
			return (&tls.Dialer{Config: config}).DialContext(ctx, network, server.Listener.Addr().String())
		}},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	return Registry{Host: host, Login: secret.New(login), Send: client.Do}
}

func withLogin(r *http.Request) bool {
	username, password, ok := r.BasicAuth()
	return ok && username+":"+password == login
}

const index = `{"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[
	{"digest":"sha256:aaaa","platform":{"os":"linux","architecture":"amd64"}},
	{"digest":"sha256:dddd","platform":{"os":"windows","architecture":"arm64"}},
	{"digest":"sha256:bbbb","platform":{"os":"linux","architecture":"arm64"}}]}`

// image serves an index with three images, and redirects requests for their
// configurations.
func image(t *testing.T, calls *[]string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		*calls = append(*calls, r.Method+" "+r.Host+r.URL.Path)
		switch {
		case r.Host == bucket && r.Header.Get("Authorization") != "":
			t.Error("S3 got the token")
		case r.Host == bucket && r.URL.RawQuery != "X-Amz-Signature=1":
			t.Errorf("got the URL %s, want it with its signature", r.URL)
		case r.Host == bucket:
			_, _ = w.Write([]byte("{}"))
		case !withLogin(r):
			w.WriteHeader(http.StatusUnauthorized)
		case strings.HasSuffix(r.URL.Path, "/manifests/v1"):
			_, _ = w.Write([]byte(index))
		case strings.HasSuffix(r.URL.Path, "/manifests/sha256:bbbb"):
			_, _ = w.Write([]byte(`{"config":{"digest":"sha256:cccc"}}`))
		case strings.HasSuffix(r.URL.Path, "/blobs/sha256:cccc"):
			w.Header().Set("Location", "https://"+bucket+"/layer?X-Amz-Signature=1")
			w.WriteHeader(http.StatusTemporaryRedirect)
		}
	}
}

func TestPull(t *testing.T) {
	t.Parallel()
	var calls []string
	r := serve(t, image(t, &calls))
	ctx := t.Context()
	if err := errors.Join(r.Ping(ctx), r.Resolve(ctx, "team-a/app", "v1")); err != nil {
		t.Fatal(err)
	}
	m, err := r.Image(ctx, "team-a/app", "v1", "arm64")
	if err != nil {
		t.Fatal(err)
	}
	from, err := r.Layer(ctx, "team-a/app", m)
	if err != nil || from != bucket {
		t.Errorf("got %q, %v, want %s", from, err, bucket)
	}
	want := []string{
		"GET " + host + "/v2/", "HEAD " + host + "/v2/team-a/app/manifests/v1", "GET " + host + "/v2/team-a/app/manifests/v1",
		"GET " + host + "/v2/team-a/app/manifests/sha256:bbbb", "GET " + host + "/v2/team-a/app/blobs/sha256:cccc", "GET " + bucket + "/layer",
	}
	if diff := cmp.Diff(want, calls); diff != "" {
		t.Error(diff)
	}
}

// answer returns a handler that gives the same answer to every request.
func answer(status int, contentType, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", contentType)
		w.WriteHeader(status)
		_, _ = w.Write([]byte(body))
	}
}

func TestRefusal(t *testing.T) {
	t.Parallel()
	const ofECR = `{"errors":[{"code":"DENIED","message":"User: arn:aws:sts::1:assumed-role/r/s is not authorized"}]}`
	for name, test := range map[string]struct {
		handle http.HandlerFunc
		want   Refusal
		text   string
	}{
		"ECR's JSON": {
			answer(403, "application/json", ofECR),
			Refusal{Status: 403, Code: "DENIED", Message: "User: arn:aws:sts::1:assumed-role/r/s is not authorized"},
			host + " answered 403 Forbidden: DENIED: User: arn:aws:sts::1:assumed-role/r/s is not authorized",
		},
		"text": {
			answer(401, "text/plain; charset=utf-8", "Not Authorized\n"),
			Refusal{Status: 401, Message: "Not Authorized"},
			host + " answered 401 Unauthorized: Not Authorized",
		},
		"S3's XML": {
			answer(403, "application/xml", "<?xml?><Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>"),
			Refusal{Status: 403, Code: "AccessDenied", Message: "Access Denied"},
			host + " answered 403 Forbidden: AccessDenied: Access Denied",
		},
		"a proxy's page": {answer(502, "text/html", "<html>secret page"), Refusal{Status: 502}, host + " answered 502 Bad Gateway"},
		"nothing":        {answer(599, "", ""), Refusal{Status: 599}, host + " answered 599"},
		"no errors":      {answer(403, "application/json", `{"errors":[]}`), Refusal{Status: 403}, host + " answered 403 Forbidden"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := serve(t, test.handle)
			_, err := r.Manifest(t.Context(), "app", "v1")
			var got *Refusal
			if !errors.As(err, &got) {
				t.Fatalf("got %v, want a Refusal", err)
			}
			test.want.Host, test.want.Method = host, http.MethodGet
			if diff := cmp.Diff(test.want, *got); diff != "" {
				t.Error(diff)
			}
			if diff := cmp.Diff(test.text, got.Error()); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestHostileAnswers(t *testing.T) {
	t.Parallel()
	redirect := func(location string) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			if r.Host != host {
				t.Errorf("got a request to %s, want none", r.Host)
			}
			w.Header().Set("Location", location)
			w.WriteHeader(http.StatusTemporaryRedirect)
		}
	}
	layer := func(r Registry) error {
		_, err := r.Layer(t.Context(), "app", Manifest{Config: Descriptor{Digest: "sha256:cccc"}})
		return err
	}
	for name, test := range map[string]struct {
		handle http.HandlerFunc
		ask    func(Registry) error
		want   string
	}{
		"a redirect to plain http": {redirect("http://s3.example.com/x"), layer, host + " redirected to http://s3.example.com; want https"},
		"a redirect of the ping": {
			redirect("https://s3.example.com/x"), func(r Registry) error { return r.Ping(t.Context()) },
			host + " answered 307 Temporary Redirect",
		},
		"an invalid manifest": {
			answer(200, "text/html", "<html>"), func(r Registry) error { _, err := r.Image(t.Context(), "app", "v1", ""); return err },
			host + " answered with a manifest that can't be read: invalid character '<' looking for beginning of value",
		},
		"an index with a path for a digest": {
			answer(200, "application/json", `{"manifests":[{"digest":"sha256:aaaa/../../../x"}]}`),
			func(r Registry) error { _, err := r.Image(t.Context(), "app", "v1", ""); return err },
			host + ` answered with a manifest that has an invalid digest: "sha256:aaaa/../../../x"`,
		},
		"a manifest without a configuration": {
			answer(200, "application/json", `{}`), func(r Registry) error { _, err := r.Layer(t.Context(), "app", Manifest{}); return err },
			host + ` answered with a manifest that has an invalid digest: ""`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := fmt.Sprint(test.ask(serve(t, test.handle))); got != test.want {
				t.Errorf("got  %s\nwant %s", got, test.want)
			}
		})
	}
}

// TestLargeLayer: a part of the image's configuration is enough, so it may be longer than
// an answer that Send allows.
func TestLargeLayer(t *testing.T) {
	t.Parallel()
	const limit = 1 << 20
	r := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Host == bucket {
			_, _ = w.Write(make([]byte, 2*limit))
			return
		}
		w.Header().Set("Location", "https://"+bucket+"/layer")
		w.WriteHeader(http.StatusTemporaryRedirect)
	})
	send := r.Send
	r.Send = func(request *http.Request) (*http.Response, error) {
		resp, err := send(request)
		if err == nil {
			resp.Body = http.MaxBytesReader(nil, resp.Body, limit)
		}
		return resp, err
	}
	from, err := r.Layer(t.Context(), "app", Manifest{Config: Descriptor{Digest: "sha256:cccc"}})
	if from != bucket || err != nil {
		t.Errorf("got %q, %v; want %s", from, err, bucket)
	}
}
