package doctor

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"ecr-cross-account-credential-provider/pkg/cache"
	"ecr-cross-account-credential-provider/pkg/diagnosis"
	"ecr-cross-account-credential-provider/pkg/failure"
	"ecr-cross-account-credential-provider/pkg/secret"
	"ecr-cross-account-credential-provider/test/fakeaws"
)

// replace replaces text in the configuration. The text must exist.
func (n *node) replace(old, with string) {
	n.t.Helper()
	if !strings.Contains(n.config, old) {
		n.t.Fatalf("%q is not in the configuration", old)
	}
	n.config = strings.ReplaceAll(n.config, old, with)
}

func brokenConfigurations() []broken {
	onNode := diagnosis.Node
	return []broken{
		{name: "unknown key", code: "D08", side: onNode, words: "did you mean assumeRoles?", breakIt: func(n *node) { n.replace("assumeRoles", "assumeRole") }},
		{name: "not YAML", code: "D08", side: onNode, words: "config.yaml:", breakIt: func(n *node) { n.config += "}" }},
		{name: "role of another partition", code: "D09", side: onNode, words: "within one partition only", breakIt: func(n *node) {
			n.provide("*.dkr.ecr.*.amazonaws.com", "*.dkr.ecr.*.amazonaws.com.cn")
			n.images = []string{fakeaws.FirstAccount + ".dkr.ecr.cn-north-1.amazonaws.com.cn/team-a/app:v1"}
		}},
		{name: "entry for another partition", code: "D09", result: diagnosis.Skipped, words: "does not fit its patterns and roles", breakIt: func(n *node) {
			n.provide("*.dkr.ecr.*.amazonaws.com", "*.dkr.ecr.*.amazonaws.com.cn")
			n.replace(pullRole, strings.Replace(pullRole, "arn:aws:", "arn:aws-cn:", 1))
			n.images = nil
		}},
		{
			name: "own account, and STS refuses to name it", code: "D09", side: diagnosis.Endpoint, account: fakeaws.NodeAccount, policy: endpointPolicy,
			attachTo: "the STS endpoint of the nodes' VPC", words: "asking STS for the node's own account", breakIt: func(n *node) {
				n.own()
				unnamed(n)
			},
		},
		{
			name: "entry for own, and STS refuses to name it", code: "D09", side: diagnosis.Endpoint, account: fakeaws.NodeAccount, policy: endpointPolicy,
			attachTo: "the STS endpoint of the nodes' VPC", words: "asking STS for the node's own account", breakIt: func(n *node) {
				n.own()
				n.images = nil
				unnamed(n)
			},
		},
		{name: "own account, and STS refuses the connection", code: "D09", side: diagnosis.Endpoint, words: "refused the connection", breakIt: func(n *node) {
			n.own()
			n.aws.Break(fakeaws.STS, fakeaws.Fault{Kind: fakeaws.Refuse})
		}},
		{name: "own account, and no region for STS", code: "D09", side: onNode, words: "set AWS_REGION", breakIt: func(n *node) {
			n.own()
			n.awsConfig = strings.Replace(n.awsConfig, "region = eu-west-1\n", "", 1)
			n.aws.Break(fakeaws.IMDS, fakeaws.Fault{Kind: fakeaws.Refuse})
		}},
		{name: "role that is not allowed", code: "D09", side: onNode, words: "is not one of allowedRoles", breakIt: func(n *node) {
			n.asPod("arn:aws:iam::" + fakeaws.FirstAccount + ":role/admin")
		}},
		{name: "no annotation", code: "D09", side: onNode, words: "whenNoRole: Node", breakIt: func(n *node) {
			n.asPod("")
		}},
		{name: "not ECR", code: "D09", result: diagnosis.Warning, words: "not in Amazon ECR", breakIt: func(n *node) { n.images = []string{"docker.io/library/nginx"} }},
		{name: "left to others", code: "D09", result: diagnosis.Warning, words: "unmatched is None", breakIt: func(n *node) {
			n.config += "unmatched: None\n"
			n.images = []string{fakeaws.SecondAccount + ".dkr.ecr.eu-west-1.amazonaws.com/app"}
		}},
		{name: "no pod", code: "D09", result: diagnosis.Warning, words: "--as-service-account", breakIt: func(n *node) {
			n.asPod("")
			n.doctor.Pod = nil
		}},
		{name: "open directory", code: "D10", result: diagnosis.Warning, words: "the cache is off", breakIt: func(n *node) {
			directory := filepath.Join(n.dir, "cache")
			if err := errors.Join(os.Mkdir(directory, 0o700), os.Chmod(directory, 0o777)); err != nil {
				n.t.Fatal(err)
			}
		}},
		{name: "remembered refusal", code: "D10", result: diagnosis.Warning, words: "cache clear", breakIt: func(n *node) { n.refuseOnce() }},
		{name: "no cache", code: "D10", result: diagnosis.Warning, words: "each pull asks AWS", breakIt: func(n *node) {
			n.replace(filepath.Join(n.dir, "cache"), "")
		}},
	}
}

// own lets the node pull from its own account with credentials that do not say which
// account that is.
func (n *node) own() {
	n.config = "registries:\n- accounts: [own]\n" + n.settings()
	n.images = []string{nodesHost + "/app"}
	n.hybrid()
}

// hybrid gives the node credentials as outside of AWS.
func (n *node) hybrid() {
	c := n.world.Issue(nodeRole, "hybrid", time.Hour)
	n.awsConfig += "aws_access_key_id = " + c.AccessKeyID + "\naws_secret_access_key = " + c.SecretAccessKey + "\naws_session_token = " + c.SessionToken + "\n"
}

// asPod lets an entry for service accounts govern the image, and makes doctor examine
// the pull of a pod. The pod's service account has the annotation, unless that is empty.
func (n *node) asPod(annotation string) {
	n.t.Helper()
	n.config = "registries:\n- accounts: [\"" + fakeaws.FirstAccount + "\"]\n  source: ServiceAccount\n" +
		"  serviceAccount: {allowedRoles: [\"" + pullRole + "\"]}\n" + n.settings()
	n.providers += "  tokenAttributes: {serviceAccountTokenAudience: sts.amazonaws.com, cacheType: ServiceAccount, requireServiceAccount: false, " +
		"optionalServiceAccountAnnotationKeys: [eks.amazonaws.com/ecr-role-arn]}\n"
	n.doctor.Pod = &Pod{Name: "shop/web"}
	n.doctor.Pod.Token = secret.New(n.podToken("shop", "web", time.Hour))
	if annotation != "" {
		n.doctor.Pod.Annotations = map[string]string{"eks.amazonaws.com/ecr-role-arn": annotation}
	}
}

// metadataWithoutProfile serves IMDS on an instance without a profile.
func (n *node) metadataWithoutProfile() string {
	n.t.Helper()
	server, err := fakeaws.Start(fakeaws.NewWorld(fakeaws.Node{InstanceID: "i-0", Region: "eu-west-1"}), fakeaws.Options{})
	if err != nil {
		n.t.Fatal(err)
	}
	n.t.Cleanup(func() { _ = server.Close() })
	return server.URL(fakeaws.IMDS)
}

// refuseOnce writes a refusal into the cache.
func (n *node) refuseOnce() {
	n.t.Helper()
	store, err := cache.Open(filepath.Join(n.dir, "cache"), cache.Options{Now: time.Now, Random: func() float64 { return 0 }, Warn: func(string) {}})
	if err != nil {
		n.t.Fatal(err)
	}
	defer store.Close() //nolint:errcheck // nothing is lost
	_, err = store.Acquire(n.t.Context(), cache.Request{Key: cache.Key{1}, Registry: firstHost, Identity: pullRole}, func(context.Context) (cache.Token, error) {
		return cache.Token{}, refusal("AccessDenied: not authorized")
	})
	if !errors.Is(err, refusal("AccessDenied: not authorized")) {
		n.t.Fatal(err)
	}
}

// refusal is an error of AWS.
type refusal string

func (r refusal) Error() string             { return string(r) }
func (refusal) FailureClass() failure.Class { return failure.Refused }

// podToken signs a token of a service account.
func (n *node) podToken(namespace, name string, life time.Duration) string {
	n.t.Helper()
	token, err := issuer(n.t).Token(namespace, name, fakeaws.Audience, time.Now().Add(life))
	if err != nil {
		n.t.Fatal(err)
	}
	return token
}

func brokenIdentities() []broken {
	onNode := diagnosis.Node
	static := func(n *node, id, key, token string) {
		n.awsConfig += "aws_access_key_id = " + id + "\naws_secret_access_key = " + key + "\naws_session_token = " + token + "\n"
	}
	return []broken{
		{name: "no CA bundle", code: "D11", side: onNode, words: "nonexistent", breakIt: func(n *node) {
			n.awsConfig = strings.ReplaceAll(n.awsConfig, n.aws.CAFile(), "/nonexistent/ca.pem")
		}},
		{name: "an invalid region", code: "D11", side: onNode, words: "not a region", breakIt: func(n *node) {
			n.awsConfig = strings.ReplaceAll(n.awsConfig, "eu-west-1", "mars")
		}},
		{name: "clock ahead", code: "D12", side: onNode, words: "ahead of", breakIt: func(n *node) { n.clockAhead = 10*time.Minute + 2*time.Second }},
		{name: "clock behind", code: "D12", side: onNode, words: "behind", breakIt: func(n *node) { n.clockAhead = -time.Hour }},
		{name: "clock a little off", code: "D12", result: diagnosis.Warning, words: "chrony", breakIt: func(n *node) { n.clockAhead = time.Minute }},
		{name: "no instance profile", code: "D13", side: onNode, words: "attach an instance profile", breakIt: func(n *node) {
			n.awsConfig = strings.ReplaceAll(n.awsConfig, n.aws.URL(fakeaws.IMDS), n.metadataWithoutProfile())
		}},
		{name: "no metadata service", code: "D13", side: onNode, words: "refused the connection", breakIt: func(n *node) {
			n.aws.Break(fakeaws.IMDS, fakeaws.Fault{Kind: fakeaws.Refuse})
		}},
		{name: "failing process", code: "D13", side: onNode, words: "credential_process failed", breakIt: func(n *node) {
			n.awsConfig += "credential_process = false\n"
		}},
		{name: "unknown key", code: "D14", side: onNode, words: "InvalidClientTokenId", also: []string{"D19"}, breakIt: func(n *node) {
			static(n, "ASIAUNKNOWN", "wrong-secret-key", "wrong-session-token")
		}},
		{name: "wrong secret key", code: "D14", side: onNode, words: "check the node's clock and the secret access key", also: []string{"D19"}, breakIt: func(n *node) {
			c := n.world.Issue(nodeRole, "hybrid", time.Hour)
			static(n, c.AccessKeyID, "wrong-secret-key", c.SessionToken)
		}},
		{name: "expired session", code: "D14", side: onNode, words: "ExpiredToken", also: []string{"D19"}, breakIt: func(n *node) {
			c := n.world.Issue(nodeRole, "hybrid", -time.Minute)
			static(n, c.AccessKeyID, c.SecretAccessKey, c.SessionToken)
		}},
		{name: "refused by the endpoint", code: "D14", result: diagnosis.Warning, words: "only this check needs it", breakIt: func(n *node) {
			n.aws.Break(fakeaws.STS, fakeaws.Fault{
				Kind: fakeaws.Error, Operation: "GetCallerIdentity", Status: 403, Code: "AccessDenied",
				Message: "User: arn:aws:sts::111122223333:assumed-role/node/i-0 is not authorized to perform: sts:GetCallerIdentity because no VPC endpoint policy allows the sts:GetCallerIdentity action",
			})
		}},
	}
}

// throughProxy gives the container runtime a proxy that answers each request with the
// status.
func throughProxy(status int) func(*node) {
	return func(n *node) {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(status) }))
		n.t.Cleanup(server.Close)
		n.environ = append(n.environ, "HTTPS_PROXY="+server.URL)
	}
}

func brokenNetworks() []broken {
	nameless := func(host string) error {
		return &net.OpError{Op: "dial", Err: &net.DNSError{Err: "no such host", Name: host, IsNotFound: true}}
	}
	refused := &net.OpError{Op: "dial", Net: "tcp", Err: os.NewSyscallError("connect", syscall.ECONNREFUSED)}
	dialing := func(host string, err error) func(*node) {
		return func(n *node) {
			n.dial = func(address string) error {
				if address == host+":443" {
					return err
				}
				return nil
			}
		}
	}
	breaking := func(service fakeaws.Service, kind fakeaws.FaultKind) func(*node) {
		return func(n *node) { n.aws.Break(service, fakeaws.Fault{Kind: kind}) }
	}
	network := diagnosis.Endpoint
	return []broken{
		{name: "STS refuses", code: "D15", side: network, words: "refused the connection", breakIt: breaking(fakeaws.STS, fakeaws.Refuse)},
		{name: "STS is silent", code: "D15", side: network, words: "in the TLS handshake", breakIt: func(n *node) {
			n.handshake = 10 * time.Second
			n.aws.Break(fakeaws.STS, fakeaws.Fault{Kind: fakeaws.HangHandshake})
		}},
		{name: "another STS answers", code: "D15", side: diagnosis.Node, words: "certificate", breakIt: func(n *node) {
			n.awsConfig = strings.ReplaceAll(n.awsConfig, "ca_bundle", "#")
		}, also: []string{"D16"}},
		{name: "ECR refuses", code: "D16", side: network, words: "refused the connection", breakIt: breaking(fakeaws.ECR, fakeaws.Refuse)},
		{name: "ECR breaks off", code: "D16", side: network, words: "closed the connection", breakIt: breaking(fakeaws.ECR, fakeaws.Reset)},
		{name: "registry without a name", code: "D17", side: network, words: "does not resolve", breakIt: dialing(firstHost, nameless(firstHost))},
		{name: "registry refuses", code: "D17", side: network, words: "ecr.dkr", breakIt: dialing(firstHost, refused)},
		{name: "certificate of a proxy", code: "D17", side: diagnosis.Node, words: "the container runtime trusts the system's CAs", breakIt: func(n *node) {
			n.environ = nil
		}, also: []string{"D18"}},
		{name: "proxy of the runtime", code: "D17", side: diagnosis.Node, words: "HTTPS_PROXY", breakIt: func(n *node) {
			n.environ = append(n.environ, "HTTPS_PROXY=http://proxy.example.com:3128")
			dialing("proxy.example.com", nil)(n)
			n.dial = func(string) error { return refused }
		}, also: []string{"D18"}},
		{
			name: "proxy of the runtime forbids", code: "D17", side: diagnosis.Node, also: []string{"D18"}, breakIt: throughProxy(http.StatusForbidden),
			words: "403 Forbidden; check HTTPS_PROXY and NO_PROXY of the container runtime's service",
		},
		{
			name: "proxy of the runtime asks for a password", code: "D17", side: diagnosis.Node, also: []string{"D18"}, breakIt: throughProxy(http.StatusProxyAuthRequired),
			words: "407 Proxy Authentication Required; check HTTPS_PROXY and NO_PROXY of the container runtime's service",
		},
		{name: "bucket without a name", code: "D18", side: network, words: "gateway endpoint", breakIt: dialing(bucket, nameless(bucket))},
		{name: "bucket refuses", code: "D18", side: network, words: "refused the connection", breakIt: dialing(bucket, refused)},
	}
}
