package fakeaws

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/xml"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
)

// start serves a world until the test ends.
func start(t *testing.T, world *World, o Options) *Server {
	t.Helper()
	o.Dir = t.TempDir()
	s, err := Start(world, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// newClient returns a client that trusts only the server's authority.
func newClient(t *testing.T, s *Server) *http.Client {
	t.Helper()
	roots := x509.NewCertPool()
	if s.caFile != "" {
		pem, err := os.ReadFile(s.caFile)
		if err != nil || !roots.AppendCertsFromPEM(pem) {
			t.Fatal(err)
		}
	}
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}}
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport}
}

// session issues credentials of a role.
func session(w *World, role string, life time.Duration, chained bool) Credentials {
	return w.issue(role, "test", life, chained, "")
}

const (
	nodeRole  = "arn:aws:iam::" + NodeAccount + ":role/node"
	firstRole = "arn:aws:iam::" + FirstAccount + ":role/ecr-pull"
)

// request is a client's request before it is signed.
type request struct {
	url, body string
	header    http.Header
}

func stsRequest(s *Server, action string, parameters ...string) request {
	form := url.Values{"Action": {action}, "Version": {"2011-06-15"}}
	for i := 0; i+1 < len(parameters); i += 2 {
		form.Set(parameters[i], parameters[i+1])
	}
	return request{s.URL(STS) + "/", form.Encode(), http.Header{"Content-Type": {"application/x-www-form-urlencoded"}}}
}

func ecrRequest(s *Server) request {
	return request{s.URL(ECR) + "/", "{}", http.Header{
		"Content-Type": {"application/x-amz-json-1.1"},
		"X-Amz-Target": {"AmazonEC2ContainerRegistry_V20150921.GetAuthorizationToken"},
	}}
}

func publicRequest(s *Server) request {
	return request{s.URL(ECRPublic) + "/", "{}", http.Header{
		"Content-Type": {"application/x-amz-json-1.1"},
		"X-Amz-Target": {"SpencerFrontendService.GetAuthorizationToken"},
	}}
}

// signing holds the values that sign a request.
type signing struct {
	Credentials
	service, region string
	at              time.Time
}

// sign returns the HTTP request, signed by the SDK's own signer.
func (r request) sign(t *testing.T, by signing) *http.Request {
	t.Helper()
	req := r.unsigned(t)
	credentials := aws.Credentials{AccessKeyID: by.AccessKeyID, SecretAccessKey: by.SecretAccessKey, SessionToken: by.SessionToken}
	if err := v4.NewSigner().SignHTTP(t.Context(), credentials, req, digest([]byte(r.body)), by.service, by.region, by.at); err != nil {
		t.Fatal(err)
	}
	return req
}

// unsigned returns the HTTP request without a signature.
func (r request) unsigned(t *testing.T) *http.Request {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, r.url, strings.NewReader(r.body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header = r.header.Clone()
	return req
}

// answer is the answer to a request.
type answer struct {
	status     int
	code, text string // of an error; text is the whole body otherwise
}

func send(t *testing.T, client *http.Client, req *http.Request) answer {
	t.Helper()
	response, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return readAnswer(response.StatusCode, body)
}

// readAnswer reads an error in either protocol.
func readAnswer(status int, body []byte) answer {
	var query struct {
		Error struct{ Code, Message string }
	}
	var object struct {
		Type    string `json:"__type"`
		Message string `json:"message"`
	}
	switch {
	case status < 300:
	case xml.Unmarshal(body, &query) == nil:
		return answer{status, query.Error.Code, query.Error.Message}
	case json.Unmarshal(body, &object) == nil:
		return answer{status, object.Type, object.Message}
	}
	return answer{status, "", string(body)}
}

// assume asks STS for credentials of a role.
func assume(t *testing.T, s *Server, as Credentials, role, duration, externalID string) answer {
	t.Helper()
	parameters := []string{"RoleArn", role, "RoleSessionName", "test", "DurationSeconds", duration}
	if externalID != "" {
		parameters = append(parameters, "ExternalId", externalID)
	}
	r := stsRequest(s, "AssumeRole", parameters...)
	return send(t, newClient(t, s), r.sign(t, signing{as, "sts", "eu-west-1", s.World.Now()}))
}

// password gets a token, and returns its secret.
func password(t *testing.T, s *Server, r request, service, region string, as Credentials) string {
	t.Helper()
	got := send(t, newClient(t, s), r.sign(t, signing{as, service, region, s.World.Now()}))
	_, text, _ := strings.Cut(got.text, `"authorizationToken":"`)
	encoded, _, ok := strings.Cut(text, `"`)
	decoded, err := base64.StdEncoding.DecodeString(encoded)
	secret, isUser := strings.CutPrefix(string(decoded), "AWS:")
	if !ok || err != nil || !isUser {
		t.Fatalf("no token in %+v", got)
	}
	return secret
}

// get asks the metadata service.
func get(t *testing.T, s *Server, method, path string, header http.Header) answer {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, s.URL(IMDS)+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header = header
	return send(t, newClient(t, s), req)
}

// until waits until a condition is true. Another goroutine or process makes it true.
func until(t *testing.T, what string, is func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	ticker := time.NewTicker(time.Millisecond)
	defer ticker.Stop()
	for !is() {
		select {
		case <-ticker.C:
		case <-ctx.Done():
			t.Fatalf("%s did not happen", what)
		}
	}
}
