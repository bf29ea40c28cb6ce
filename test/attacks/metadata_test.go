//go:build linux

package attacks_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"ecr-cross-account-credential-provider/test/fakeaws"
)

// TestRedirects: the plugin follows no redirect by a service, because the request has a
// token or a signature.
func TestRedirects(t *testing.T) {
	t.Parallel()
	for _, status := range []int{300, 301, 302, 303, 304, 307, 308} {
		for _, step := range []string{"token", "role", "credentials", "sts", "ecr", "container"} {
			t.Run(fmt.Sprint(status, " ", step), func(t *testing.T) {
				t.Parallel()
				n := newNode(t, assume)
				evil := forbidden(t)
				redirect := func(w http.ResponseWriter, r *http.Request) {
					http.Redirect(w, r, evil.URL+r.URL.Path, status)
				}
				switch step {
				case "sts":
					n.serve(fakeaws.STS, redirect)
				case "ecr":
					n.serve(fakeaws.ECR, redirect)
				case "container":
					url := n.serve(fakeaws.ECRPublic, redirect) // any server will do
					n.env = append(n.env, "AWS_CONTAINER_CREDENTIALS_FULL_URI="+url+"/x", "AWS_CONTAINER_AUTHORIZATION_TOKEN=LEAKED-token-LEAKED")
				default:
					n.redirectMetadata(step, redirect)
				}
				n.want(n.pull(image), outcome{class: failed})
			})
		}
	}
}

// redirectMetadata starts a metadata service that redirects at one step.
func (n *node) redirectMetadata(step string, redirect http.HandlerFunc) {
	const path = "/latest/meta-data/iam/security-credentials/"
	n.serve(fakeaws.IMDS, func(w http.ResponseWriter, r *http.Request) {
		switch {
		case strings.HasSuffix(r.URL.Path, "/api/token") && step == "token", r.URL.Path == path && step == "role", r.URL.Path == path+"node" && step == "credentials":
			redirect(w, r)
		case strings.HasSuffix(r.URL.Path, "/api/token"):
			w.Header().Set("X-Aws-Ec2-Metadata-Token-Ttl-Seconds", "21600")
			_, _ = w.Write([]byte("IMDSTOKEN-of-the-attack"))
		case r.URL.Path == path:
			_, _ = w.Write([]byte("node"))
		default:
			http.NotFound(w, r)
		}
	})
}

// TestMetadata: a metadata service that lies or fails causes an error. The plugin never
// sends a request without a session token (IMDSv1).
func TestMetadata(t *testing.T) {
	t.Parallel()
	expires := time.Now().Add(time.Hour).UTC().Format(time.RFC3339)
	for name, test := range map[string]struct {
		token       int // the status of the request for a session token
		role        string
		credentials string
		says        string
	}{
		"version 1 only, 404":  {404, "node", "", "IMDSv2"},
		"version 1 only, 405":  {405, "node", "", "IMDSv2"},
		"off":                  {403, "node", "", "metadata service"},
		"refuses":              {400, "node", "", "metadata service"},
		"fails":                {500, "node", "", ""},
		"no role":              {200, "", "", ""},
		"role of a path":       {200, "../../../user-data", "", ""},
		"role with a newline":  {200, "a\r\nb: c", "", ""},
		"role of 2 MB":         {200, strings.Repeat("LEAKED", 350_000), "", ""},
		"credentials not JSON": {200, "node", "LEAKED", ""},
		"credentials are null": {200, "node", "null", ""},
		"failure":              {200, "node", `{"Code":"Failed","Message":"an\u001b[31mattack"}`, "attack"},
		"expired":              {200, "node", `{"Code":"Success","AccessKeyId":"A","SecretAccessKey":"LEAKED-secret","Token":"LEAKED-token","Expiration":"2001-01-01T00:00:00Z"}`, ""},
		"credentials of 2 MB":  {200, "node", `{"Code":"Success","Token":"` + strings.Repeat("LEAKED", 350_000) + `","Expiration":"` + expires + `"}`, ""},
		"unknown to STS":       {200, "node", `{"Code":"Success","AccessKeyId":"A","SecretAccessKey":"LEAKED-secret","Token":"LEAKED-token","Expiration":"` + expires + `"}`, "InvalidClientTokenId"},
		"header in a token":    {200, "node", `{"Code":"Success","AccessKeyId":"A\r\nX-Evil: 1","SecretAccessKey":"LEAKED-secret","Token":"LEAKED\r\nX-Evil: 1","Expiration":"` + expires + `"}`, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			n := newNode(t, assume)
			n.serve(fakeaws.IMDS, func(w http.ResponseWriter, r *http.Request) {
				switch {
				case strings.HasSuffix(r.URL.Path, "/api/token"):
					w.Header().Set("X-Aws-Ec2-Metadata-Token-Ttl-Seconds", "21600")
					w.WriteHeader(test.token)
					_, _ = w.Write([]byte("IMDSTOKEN-of-the-attack"))
				case r.Header.Get("X-Aws-Ec2-Metadata-Token") == "":
					t.Errorf("got a request without a session token: %s", r.URL)
				case strings.HasSuffix(r.URL.Path, "/security-credentials/"):
					_, _ = w.Write([]byte(test.role))
				default:
					_, _ = w.Write([]byte(test.credentials))
				}
			})
			n.want(n.pull(image), outcome{class: failed, says: test.says})
		})
	}
}

// TestMetadataThroughProxy: the plugin never sends a request for the metadata service
// to a proxy.
func TestMetadataThroughProxy(t *testing.T) {
	t.Parallel()
	n := newNode(t, assume)
	evil := forbidden(t)
	n.env = append(n.env, "HTTP_PROXY="+evil.URL, "http_proxy="+evil.URL)
	n.env = append(n.env, "AWS_EC2_METADATA_SERVICE_ENDPOINT=http://169.254.169.253:1") // nobody answers
	n.want(n.pull(image), outcome{class: failed})
}

// TestContainerCredentials: a useless or oversized answer of a container's credentials
// endpoint fails the pull.
func TestContainerCredentials(t *testing.T) {
	t.Parallel()
	good, err := json.Marshal(map[string]string{"AccessKeyId": "A", "SecretAccessKey": "LEAKED-secret", "Token": "LEAKED-token", "Expiration": time.Now().Add(time.Hour).UTC().Format(time.RFC3339)})
	if err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct{ body, says string }{
		"2 MB":           {strings.Repeat(" ", 2<<20) + string(good), ""},
		"not JSON":       {"LEAKED", ""},
		"null":           {"null", ""},
		"unknown to STS": {string(good), "InvalidClientTokenId"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			n := newNode(t, assume)
			url := n.serve(fakeaws.ECRPublic, func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(test.body)) })
			n.env = append(n.env, "AWS_CONTAINER_CREDENTIALS_FULL_URI="+url, "AWS_REGION=eu-west-1")
			n.want(n.pull(image), outcome{class: failed, says: test.says})
		})
	}
}
