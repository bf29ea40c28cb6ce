package main

import (
	"net"
	"net/http"
	"slices"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// recordingProxy is an HTTPS proxy that records the requested hosts, and refuses
// all connections.
type recordingProxy struct {
	url   string
	mu    sync.Mutex
	hosts []string
}

func startProxy(t *testing.T) *recordingProxy {
	t.Helper()
	socket, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &recordingProxy{url: "http://" + socket.Addr().String()}
	server := &http.Server{Handler: p}
	t.Cleanup(func() { _ = server.Close() })
	go func() { _ = server.Serve(socket) }()
	return p
}

func (p *recordingProxy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !slices.Contains(p.hosts, r.Host) {
		p.hosts = append(p.hosts, r.Host)
	}
	http.Error(w, "nobody gets through", http.StatusForbidden)
}

func (p *recordingProxy) asked() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.hosts
}

// TestHosts: for each form of a registry's host, in each partition, the linked SDK
// calls the right host of ECR.
func TestHosts(t *testing.T) {
	t.Parallel()
	const account = "111122223333."
	tests := []struct{ registry, want string }{
		{"dkr.ecr.eu-west-1.amazonaws.com", "api.ecr.eu-west-1.amazonaws.com"},
		{"dkr.ecr-fips.us-east-1.amazonaws.com", "api.ecr-fips.us-east-1.amazonaws.com"},
		{"dkr-ecr.eu-west-1.on.aws", "ecr.eu-west-1.api.aws"},
		{"dkr-ecr-fips.us-east-1.on.aws", "ecr-fips.us-east-1.api.aws"},
		{"dkr.ecr.mx-central-1.amazonaws.com", "api.ecr.mx-central-1.amazonaws.com"},
		{"dkr.ecr.us-gov-west-1.amazonaws.com", "api.ecr.us-gov-west-1.amazonaws.com"},
		{"dkr.ecr-fips.us-gov-east-1.amazonaws.com", "api.ecr-fips.us-gov-east-1.amazonaws.com"},
		{"dkr-ecr.us-gov-west-1.on.aws", "ecr.us-gov-west-1.api.aws"},
		{"dkr-ecr-fips.us-gov-west-1.on.aws", "ecr-fips.us-gov-west-1.api.aws"},
		{"dkr.ecr.cn-north-1.amazonaws.com.cn", "api.ecr.cn-north-1.amazonaws.com.cn"},
		{"dkr-ecr.cn-northwest-1.on.amazonwebservices.com.cn", "ecr.cn-northwest-1.api.amazonwebservices.com.cn"},
		{"dkr.ecr.eusc-de-east-1.amazonaws.eu", "api.ecr.eusc-de-east-1.amazonaws.eu"},
		{"dkr.ecr-fips.eusc-de-east-1.amazonaws.eu", "api.ecr-fips.eusc-de-east-1.amazonaws.eu"},
		{"dkr.ecr.us-iso-east-1.c2s.ic.gov", "api.ecr.us-iso-east-1.c2s.ic.gov"},
		{"dkr.ecr-fips.us-iso-east-1.c2s.ic.gov", "api.ecr-fips.us-iso-east-1.c2s.ic.gov"},
		{"dkr.ecr.us-isob-east-1.sc2s.sgov.gov", "api.ecr.us-isob-east-1.sc2s.sgov.gov"},
		{"dkr.ecr.eu-isoe-west-1.cloud.adc-e.uk", "api.ecr.eu-isoe-west-1.cloud.adc-e.uk"},
		{"dkr.ecr.us-isof-south-1.csp.hci.ic.gov", "api.ecr.us-isof-south-1.csp.hci.ic.gov"},
	}
	for _, test := range tests {
		t.Run(test.registry, func(t *testing.T) {
			t.Parallel()
			proxy := startProxy(t)
			env := []string{
				"HTTPS_PROXY=" + proxy.url, "AWS_MAX_ATTEMPTS=1", "AWS_ACCESS_KEY_ID=AKIAEXAMPLE",
				"AWS_SECRET_ACCESS_KEY=example", "AWS_EC2_METADATA_DISABLED=true",
			}
			got := ask(t, env, account+test.registry+"/app")
			got.wantOneLine(t, "getting a token for registry "+account+test.registry)
			if diff := cmp.Diff([]string{test.want + ":443"}, proxy.asked()); diff != "" {
				t.Errorf("hosts (-want +got):\n%s%s", diff, got.stderr)
			}
		})
	}
}

// TestSTSHosts: the plugin calls STS in the node's region. For FIPS hosts it calls
// STS in a region that has a FIPS endpoint.
func TestSTSHosts(t *testing.T) {
	t.Parallel()
	const account = "444455556666."
	tests := []struct{ node, registry, partition, want string }{
		{"eu-west-3", "dkr.ecr.eu-west-1.amazonaws.com", "aws", "sts.eu-west-3.amazonaws.com"},
		{"", "dkr.ecr.eu-west-1.amazonaws.com", "aws", "sts.eu-west-1.amazonaws.com"},
		{"us-west-2", "dkr.ecr-fips.us-east-1.amazonaws.com", "aws", "sts-fips.us-west-2.amazonaws.com"},
		{"eu-west-1", "dkr.ecr-fips.us-east-2.amazonaws.com", "aws", "sts-fips.us-east-2.amazonaws.com"},
		{"us-gov-west-1", "dkr.ecr-fips.us-gov-east-1.amazonaws.com", "aws-us-gov", "sts.us-gov-west-1.amazonaws.com"},
		{"cn-north-1", "dkr.ecr.cn-northwest-1.amazonaws.com.cn", "aws-cn", "sts.cn-north-1.amazonaws.com.cn"},
		{"eusc-de-east-1", "dkr.ecr.eusc-de-east-1.amazonaws.eu", "aws-eusc", "sts.eusc-de-east-1.amazonaws.eu"},
		{"us-iso-west-1", "dkr.ecr.us-iso-east-1.c2s.ic.gov", "aws-iso", "sts.us-iso-west-1.c2s.ic.gov"},
		{"us-isob-east-1", "dkr.ecr.us-isob-east-1.sc2s.sgov.gov", "aws-iso-b", "sts.us-isob-east-1.sc2s.sgov.gov"},
		{"eu-isoe-west-1", "dkr.ecr.eu-isoe-west-1.cloud.adc-e.uk", "aws-iso-e", "sts.eu-isoe-west-1.cloud.adc-e.uk"},
		{"us-isof-south-1", "dkr.ecr.us-isof-east-1.csp.hci.ic.gov", "aws-iso-f", "sts.us-isof-south-1.csp.hci.ic.gov"},
	}
	for _, test := range tests {
		t.Run(test.node+" "+test.registry, func(t *testing.T) {
			t.Parallel()
			proxy := startProxy(t)
			env := []string{
				"HTTPS_PROXY=" + proxy.url, "AWS_MAX_ATTEMPTS=1", "AWS_ACCESS_KEY_ID=AKIAEXAMPLE",
				"AWS_SECRET_ACCESS_KEY=example", "AWS_EC2_METADATA_DISABLED=true", "AWS_REGION=" + test.node,
			}
			got := ask(t, env, account+test.registry+"/app", "--role", "444455556666=arn:"+test.partition+":iam::444455556666:role/ecr-pull")
			got.wantOneLine(t, "assuming role arn:"+test.partition+":iam::444455556666:role/ecr-pull for registry "+account+test.registry)
			if diff := cmp.Diff([]string{test.want + ":443"}, proxy.asked()); diff != "" {
				t.Errorf("hosts (-want +got):\n%s%s", diff, got.stderr)
			}
		})
	}
}
