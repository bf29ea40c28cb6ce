//go:build linux

package iam_test

import (
	"bytes"
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"ecr-cross-account-credential-provider/test/fakeaws"
)

// node is the node of an example, with its AWS.
type node struct {
	t      *testing.T
	dir    string
	config string
	world  *fakeaws.World
	server *fakeaws.Server
	env    []string
	client *http.Client
	// name and audience are for the pod's token.
	name, audience string
}

// newNode starts an AWS with the accounts of the example, for a stranger if one is
// given. The only role is that of the node, without permissions.
func newNode(t *testing.T, e example, s stranger) *node {
	t.Helper()
	role := cmp.Or(s.nodeRole, nodeRole)
	n := &node{t: t, dir: t.TempDir(), name: cmp.Or(s.name, "app"), audience: cmp.Or(s.audience, fakeaws.Audience)}
	n.config = e.write(t, n.dir, s.edit[0], s.edit[1])
	n.world = fakeaws.NewWorld(fakeaws.Node{InstanceID: "i-0123456789abcdef0", Region: region, Role: role})
	n.world.SetRole(fakeaws.Role{ARN: role, Policies: map[string]string{}})
	issuer, err := cluster()
	if err != nil {
		t.Fatal(err)
	}
	n.world.PublishIssuer(issuer)
	for _, p := range slices.Concat(e.pulls, []pull{s.pull}) {
		if p.from.Account != "" && p.from.Account != s.homeless {
			n.world.SetOrganization(p.from.Account, organization, organization+"/r-root/")
		}
	}
	if s.homeless != nodeAccount {
		n.world.SetOrganization(nodeAccount, organization, organization+"/r-root/")
	}
	if n.server, err = fakeaws.Start(n.world, fakeaws.Options{TLS: true, Dir: n.dir}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = n.server.Close() })
	n.env = append(n.server.ProxyEnv(), "AWS_REGION="+region)
	if e.onPremises {
		n.leaveEC2(role)
	}
	n.client = n.runtime()
	return n
}

// leaveEC2 gives the node credentials in a file, like those of EKS hybrid nodes, and in the
// environment.
func (n *node) leaveEC2(role string) {
	n.t.Helper()
	c := n.world.Issue(role, "on-premises", time.Hour)
	text := fmt.Sprintf("[profile hybrid]\naws_access_key_id = %[1]s\naws_secret_access_key = %[2]s\naws_session_token = %[3]s\n", c.AccessKeyID, c.SecretAccessKey, c.SessionToken)
	if err := os.WriteFile(filepath.Join(n.dir, "hybrid"), []byte(text), 0o600); err != nil {
		n.t.Fatal(err)
	}
	n.env = append(n.env, "AWS_EC2_METADATA_DISABLED=true", "AWS_ACCESS_KEY_ID="+c.AccessKeyID, "AWS_SECRET_ACCESS_KEY="+c.SecretAccessKey, "AWS_SESSION_TOKEN="+c.SessionToken)
}

// runtime returns the HTTP client of the container runtime.
func (n *node) runtime() *http.Client {
	n.t.Helper()
	proxy, err := url.Parse(n.server.URL(fakeaws.Proxy))
	if err != nil {
		n.t.Fatal(err)
	}
	pem, err := os.ReadFile(n.server.CAFile())
	if err != nil {
		n.t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(pem)
	transport := &http.Transport{Proxy: http.ProxyURL(proxy), TLSClientConfig: &tls.Config{RootCAs: pool}}
	n.t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport}
}

// push puts the image of a pull into its repository.
func (n *node) push(p pull) {
	if p.imported {
		n.world.SetCacheRule(p.from.Account, p.from.Region, "docker-hub")
	} else {
		n.world.Push(p.from, "v1")
	}
	if p.admitted {
		n.world.AllowPull(p.from, fakeaws.Everybody)
	}
}

// pull requests credentials from the plugin like a kubelet, and pulls the image with
// them like a runtime. An image that a cache imports has a new repository for each
// attempt.
func (n *node) pull(p pull, attempt int) error {
	if p.imported {
		p.image, p.from.Name = fmt.Sprint(p.image, attempt), fmt.Sprint(p.from.Name, attempt)
	}
	n.push(p)
	username, password, err := n.credentials(p)
	if err != nil {
		return err
	}
	base := "https://" + p.from.Account + ".dkr.ecr." + p.from.Region + ".amazonaws.com/v2/" + p.from.Name
	get := func(url string) (body []byte, err error) {
		request, err := http.NewRequestWithContext(n.t.Context(), http.MethodGet, url, nil)
		if err != nil {
			return nil, err
		}
		request.SetBasicAuth(username, password)
		response, err := n.client.Do(request)
		if err != nil {
			return nil, err
		}
		defer response.Body.Close() //nolint:errcheck // the body is only read
		if body, err = io.ReadAll(response.Body); err == nil && response.StatusCode != http.StatusOK {
			err = fmt.Errorf("%s: %s: %s", url, response.Status, body)
		}
		return body, err
	}
	text, err := get(base + "/manifests/v1")
	if err != nil {
		return err
	}
	var manifest struct{ Config struct{ Digest string } }
	if err := json.Unmarshal(text, &manifest); err != nil {
		return err
	}
	_, err = get(base + "/blobs/" + manifest.Config.Digest)
	return err
}

// credentials runs the plugin, and returns the credentials of its response.
func (n *node) credentials(p pull) (username, password string, err error) {
	request := map[string]any{"kind": "CredentialProviderRequest", "apiVersion": "credentialprovider.kubelet.k8s.io/v1", "image": p.image}
	if p.pod {
		issuer, err := cluster()
		if err != nil {
			return "", "", err
		}
		if request["serviceAccountToken"], err = issuer.Token("team-a", n.name, n.audience, time.Now().Add(time.Hour)); err != nil {
			return "", "", err
		}
		request["serviceAccountAnnotations"] = map[string]string{"eks.amazonaws.com/ecr-role-arn": podRole}
	}
	stdin, err := json.Marshal(request)
	if err != nil {
		return "", "", err
	}
	ctx, cancel := context.WithTimeout(n.t.Context(), 5*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, plugin, "--config", n.config)
	var stderr bytes.Buffer
	cmd.Env, cmd.Stdin, cmd.Stderr = n.env, bytes.NewReader(stdin), &stderr
	stdout, err := cmd.Output()
	if err != nil {
		return "", "", fmt.Errorf("%w: %s", err, &stderr)
	}
	var response struct {
		Auth map[string]struct{ Username, Password string }
	}
	if err := json.Unmarshal(stdout, &response); err != nil {
		return "", "", err
	}
	for _, auth := range response.Auth {
		return auth.Username, auth.Password, nil
	}
	return "", "", errors.New("the response has no credentials")
}
