package main

import (
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"ecr-cross-account-credential-provider/test/fakeaws"
)

const ownAccount = fakeaws.NodeAccount

// explained is the output of explain --output json.
type explained struct {
	Entry string
	Plan  struct {
		ServiceAccount *struct{}
		AssumeRoles    []struct{ ARN string }
	}
	Calls    []string
	Response struct{ CacheKeyType, AuthKey string }
}

// TestExplainAgreesWithTheRun compares explain with a real run: the hosts of the calls
// to STS and ECR in their order, without GetCallerIdentity, and the response's key and
// scope. It does so for each form of registry host, partition and node region, and for
// each example configuration.
func TestExplainAgreesWithTheRun(t *testing.T) {
	t.Parallel()
	const account = "444455556666."
	registries := []string{
		"dkr.ecr.eu-west-1.amazonaws.com", "dkr.ecr-fips.us-east-1.amazonaws.com", "dkr.ecr-fips.ca-central-1.amazonaws.com",
		"dkr-ecr.eu-west-1.on.aws", "dkr-ecr-fips.us-east-2.on.aws", "dkr.ecr.us-gov-west-1.amazonaws.com", "dkr.ecr-fips.us-gov-east-1.amazonaws.com",
		"dkr-ecr.us-gov-west-1.on.aws", "dkr.ecr.cn-north-1.amazonaws.com.cn", "dkr-ecr.cn-northwest-1.on.amazonwebservices.com.cn",
		"dkr.ecr.eusc-de-east-1.amazonaws.eu", "dkr.ecr.us-iso-east-1.c2s.ic.gov", "dkr.ecr-fips.us-iso-east-1.c2s.ic.gov",
		"dkr.ecr.us-isob-east-1.sc2s.sgov.gov", "dkr.ecr.eu-isoe-west-1.cloud.adc-e.uk", "dkr.ecr.us-isof-south-1.csp.hci.ic.gov",
	}
	config := writeConfig(t, "apiVersion: ecr-cross-account-credential-provider/v1alpha1\nkind: CrossAccountConfig\nregistries:\n"+
		"- accounts: [\"444455556666\"]\n  assumeRoles:\n  - arn: arn:{partition}:iam::{account}:role/hub\n  - arn: arn:{partition}:iam::{account}:role/pull\n")
	for _, registry := range registries {
		for _, node := range []string{"eu-west-3", "us-west-2", "us-gov-west-1", "cn-north-1", "us-iso-west-1"} {
			agree(t, node+" "+registry, config, account+registry+"/team-a/app", node)
		}
	}
	agree(t, "ECR Public", config, "public.ecr.aws/x/y", "eu-west-1")
	for _, example := range examples(t) {
		text, err := os.ReadFile(example)
		if err != nil {
			t.Fatal(err)
		}
		accounts := append(regexp.MustCompile(`[0-9]{12}`).FindAllString(string(text), -1), ownAccount, "123456789012")
		slices.Sort(accounts)
		for _, account := range slices.Compact(accounts) {
			for _, host := range []string{".dkr.ecr.eu-west-1.amazonaws.com", ".dkr.ecr.us-gov-west-1.amazonaws.com"} {
				agree(t, filepath.Base(example)+" "+account+host, writeConfig(t, string(text)), account+host+"/team-a/app", "eu-west-1")
			}
		}
	}
}

// examples are the example configurations.
func examples(t *testing.T) []string {
	t.Helper()
	files, err := filepath.Glob("../../config-examples/*.yaml")
	if err != nil || len(files) < 5 {
		t.Fatalf("got %d examples, error %v", len(files), err)
	}
	return files
}

// agree compares explain with a run for one image.
func agree(t *testing.T, name, config, image, region string) {
	t.Helper()
	t.Run(name, func(t *testing.T) {
		t.Parallel()
		env := []string{"AWS_REGION=" + region, "HOME=" + t.TempDir()}
		out := run(t, command(t, env, "--config", config, "explain", "--output", "json", "--own", ownAccount, image))
		var e explained
		if err := json.Unmarshal([]byte(out.stdout), &e); out.status == 0 && err != nil {
			t.Fatalf("explain: got %s, error %v; want JSON", out.stdout, err)
		}
		names := e.Calls
		if len(names) == 0 {
			names = []string{"nobody.example.com"}
		}
		aws := startAWS(t, fakeaws.Options{TLS: true, Names: names})
		aws.World.TrustEverybody()
		issuer, err := cluster()
		if err != nil {
			t.Fatal(err)
		}
		aws.World.TrustIssuer(issuer)
		cmd := command(t, append(env, "HTTPS_PROXY="+startRouter(t, aws), "AWS_CA_BUNDLE="+aws.CAFile(), "AWS_EC2_METADATA_SERVICE_ENDPOINT="+aws.URL(fakeaws.IMDS)), "--config", config)
		cmd.Stdin = strings.NewReader(requestOf(t, image, e.Plan.ServiceAccount != nil))
		got := run(t, cmd)
		if (got.status == 0) != (out.status == 0) {
			t.Fatalf("got status %d of explain, %d of the run; want the same:\n%s%s", out.status, got.status, out.stderr, got.stderr)
		}
		var calls []string
		for _, call := range aws.Calls(fakeaws.STS, fakeaws.ECR, fakeaws.ECRPublic) {
			if call.Operation != "GetCallerIdentity" {
				calls = append(calls, call.Host)
			}
		}
		if diff := cmp.Diff(e.Calls, append([]string{}, calls...)); out.status == 0 && diff != "" {
			t.Errorf("hosts of calls (-explain +run):\n%s%s", diff, got.stderr)
		}
		if out.status != 0 && len(calls) > 0 {
			t.Errorf("got the calls %v; want none, because explain finds an error: %s", calls, out.stderr)
		}
		if out.status == 0 && (!strings.Contains(got.stdout, `"cacheKeyType":"`+e.Response.CacheKeyType+`"`) ||
			e.Response.AuthKey != "" && !strings.Contains(got.stdout, `"auth":{"`+e.Response.AuthKey+`":`) || e.Response.AuthKey == "" && strings.Contains(got.stdout, `"auth"`)) {
			t.Errorf("got the response %s; want %+v, as explain says", got.stdout, e.Response)
		}
	})
}

// requestOf returns a kubelet's request. It has a service account's token if the
// plan starts with one.
func requestOf(t *testing.T, image string, pod bool) string {
	t.Helper()
	if !pod {
		return request(image)
	}
	account, err := os.ReadFile("../../config-examples/kubernetes/service-account.yaml")
	if err != nil {
		t.Fatal(err)
	}
	issuer, err := cluster()
	if err != nil {
		t.Fatal(err)
	}
	token, err := issuer.Token("team-a", "app", fakeaws.Audience, time.Now().Add(time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(map[string]any{
		"apiVersion": "credentialprovider.kubelet.k8s.io/v1", "kind": "CredentialProviderRequest", "image": image, "serviceAccountToken": token,
		"serviceAccountAnnotations": map[string]string{"eks.amazonaws.com/ecr-role-arn": regexp.MustCompile(`arn:aws:iam::[0-9]+:role/\S+`).FindString(string(account))},
	})
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// startRouter starts an HTTPS proxy that leads every host of AWS to the fake
// service of its kind.
func startRouter(t *testing.T, aws *fakeaws.Server) string {
	t.Helper()
	router := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		service := fakeaws.ECR
		switch {
		case strings.Contains(r.Host, "sts"):
			service = fakeaws.STS
		case strings.Contains(r.Host, "ecr-public"):
			service = fakeaws.ECRPublic
		}
		server, err := net.Dial("tcp", strings.TrimPrefix(aws.URL(service), "https://"))
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadGateway)
			return
		}
		defer server.Close() //nolint:errcheck // the tunnel is over
		client, _, err := w.(http.Hijacker).Hijack()
		if err != nil {
			return
		}
		defer client.Close() //nolint:errcheck // the tunnel is over
		_, _ = io.WriteString(client, "HTTP/1.1 200 OK\r\n\r\n")
		go func() { _, _ = io.Copy(server, client); _ = server.Close() }()
		_, _ = io.Copy(client, server)
	}))
	t.Cleanup(router.CloseClientConnections)
	return router.URL
}
