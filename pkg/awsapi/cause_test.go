package awsapi

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"io/fs"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"strings"
	"syscall"
	"testing"

	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"ecr-cross-account-credential-provider/pkg/failure"
)

// wantHint checks the hint of an error of Call.
func wantHint(t *testing.T, err error, want string) {
	t.Helper()
	if got := Hint(err, "STS"); got != want {
		t.Errorf("got hint %q, want %q", got, want)
	}
}

// TestCauses: each cause's description, hint, class, and whether another attempt may
// help.
func TestCauses(t *testing.T) {
	t.Parallel()
	at := func(s stage) progress { return progress{host: "HOST", stage: s, address: "192.0.2.1:443"} }
	metadata := func(method, path string) progress {
		return progress{method: method, path: path, host: "HOST", stage: reading}
	}
	imds := func(err error) error { return &smithy.OperationError{ServiceID: "ec2imds", Err: err} }
	status := func(code int, err error) error {
		return &smithyhttp.ResponseError{Response: &smithyhttp.Response{Response: &http.Response{StatusCode: code}}, Err: err}
	}
	api := func(code, message string) error {
		return status(400, &smithy.GenericAPIError{Code: code, Message: message})
	}
	dial := func(err error) error { return &net.OpError{Op: "dial", Net: "tcp", Err: err} }
	proxied := func(err error) error { return &net.OpError{Op: "proxyconnect", Net: "tcp", Err: err} }
	refusal := func(code int, status string) error {
		return checkProxy("proxy.example:3128", &http.Response{StatusCode: code, Status: status})
	}
	verify := func(err error) error { return &tls.CertificateVerificationError{Err: err} }
	const (
		instead  = "check whether a proxy or a firewall answers in place of STS"
		between  = "check proxies and firewalls between the node and STS"
		mtu      = "check proxies, firewalls and the MTU between the node and STS"
		reach    = "the node must reach STS over the internet or through an interface endpoint"
		attach   = "attach an instance profile, or set credentials in the provider's env"
		late     = "no answer from HOST in time "
		rejected = "the TLS certificate of HOST is not accepted: "
	)
	_, processFailed := (&process{command: "echo no certificate >&2; exit 3"}).Retrieve(t.Context())
	tests := map[string]struct {
		err        error
		progress   progress
		text, hint string
		retried    bool
		class      failure.Class
	}{
		"answered":           {api("AccessDenied", "no"), at(reading), "AccessDenied: no", "", false, failure.Refused},
		"answered duration":  {api("ValidationError", "The requested DurationSeconds exceeds the MaxSessionDuration set for this role."), at(reading), "ValidationError: The requested DurationSeconds exceeds the MaxSessionDuration set for this role.", "lower the duration of this role in the configuration, or raise the role's MaxSessionDuration (role chaining allows 1h at most)", false, failure.Misconfigured},
		"answered signature": {api("SignatureDoesNotMatch", "The Canonical String"), at(reading), "SignatureDoesNotMatch: the request's signature was not accepted", "check the node's clock and the secret access key", false, failure.Misconfigured},
		"answered status":    {status(502, errors.New("html")), at(reading), "HOST answered 502 Bad Gateway", instead, true, failure.Unavailable},
		"unreadable":         {status(200, errors.New("decoding SECRET")), progress{host: "HOST", status: 200}, "HOST gave an answer that can't be read", instead, true, failure.Unavailable},
		"too large":          {&http.MaxBytesError{Limit: maxBody}, at(reading), "HOST: the answer is larger than 1048576 bytes", "check whether HOST is STS", false, failure.Unavailable},
		"headers too large":  {errors.New("net/http: server response headers exceeded 1048576 bytes; aborted"), at(reading), "HOST: the headers of the answer are larger than 1048576 bytes", "check whether HOST is STS", false, failure.Unavailable},
		"redirected":         {redirected(&url.URL{Host: "login.example"}), at(reading), "HOST redirected the request to login.example (redirects are not followed)", instead, false, failure.Unavailable},

		"certificate expired": {verify(x509.CertificateInvalidError{Reason: x509.Expired}), at(handshaking), rejected + "x509: certificate has expired or is not yet valid: ", "check the node's clock, and then the certificate", false, failure.Unavailable},
		"unknown authority":   {verify(x509.UnknownAuthorityError{}), at(handshaking), rejected + "x509: certificate signed by unknown authority", "if a proxy inspects TLS, name a file with its CA's certificate in AWS_CA_BUNDLE in the provider's env", false, failure.Unavailable},
		"other name":          {verify(x509.HostnameError{Certificate: &x509.Certificate{DNSNames: []string{"a.example"}}, Host: "HOST"}), at(handshaking), rejected + "x509: certificate is valid for a.example, not HOST", "check where DNS, the proxy or the configured endpoint leads", false, failure.Unavailable},
		"certificate refused": {verify(errors.New("x509: odd")), at(handshaking), rejected + "x509: odd", "check which server answers as HOST", false, failure.Unavailable},
		"not tLS":             {tls.RecordHeaderError{Msg: "first record does not look like a TLS handshake"}, at(handshaking), "HOST does not speak TLS", "check the port of the endpoint or proxy, and whether it serves https", false, failure.Unavailable},
		"handshake failed":    {tls.AlertError(40), at(handshaking), "the TLS handshake with HOST failed: tls: handshake failure", "check which server or proxy answers as HOST, and its TLS versions", false, failure.Unavailable},

		"proxy password":    {refusal(407, "407 Who?"), at(connecting), "the proxy proxy.example:3128 asks for a password to connect to HOST (407)", "put user and password into HTTPS_PROXY in the provider's env, or HOST into NO_PROXY", false, failure.Unavailable},
		"proxy refused":     {refusal(403, "403 Forbidden"), at(connecting), "the proxy refused to connect to HOST: 403 Forbidden", "let the proxy allow HOST, or put HOST into NO_PROXY in the provider's env", false, failure.Unavailable},
		"proxy unreachable": {proxied(dial(os.NewSyscallError("connect", syscall.ECONNREFUSED))), at(connecting), "the proxy of the environment can't be reached to connect to HOST: connection refused", "check HTTPS_PROXY in the provider's env, or put HOST into NO_PROXY", true, failure.Unavailable},

		"name unknown":      {dial(&net.DNSError{Err: "no such host", Name: "NAME", IsNotFound: true}), at(resolving), "the name NAME does not resolve (no such host)", "check the node's DNS; without internet access, STS needs an interface endpoint with private DNS, or its URL in the configuration's endpoints", false, failure.Unavailable},
		"name failed":       {dial(&net.DNSError{Err: "server misbehaving", Name: "NAME", IsTemporary: true}), at(resolving), "the name NAME does not resolve (server misbehaving)", "check the node's name servers", true, failure.Unavailable},
		"name timeout":      {context.DeadlineExceeded, at(resolving), late + "(looking up its name)", "check the node's name servers", true, failure.Unavailable},
		"connect timeout":   {dial(os.ErrDeadlineExceeded), at(connecting), late + "(connecting to 192.0.2.1:443)", reach, true, failure.Unavailable},
		"handshake timeout": {context.DeadlineExceeded, at(handshaking), late + "(in the TLS handshake)", mtu, true, failure.Unavailable},
		"answer timeout":    {context.DeadlineExceeded, at(waiting), late + "(waiting for its answer)", "the connection works, but STS does not answer; check proxies on the path, and the AWS Health Dashboard", true, failure.Unavailable},
		"body timeout":      {context.DeadlineExceeded, at(reading), late + "(reading its answer)", mtu, true, failure.Unavailable},
		"no time":           {context.DeadlineExceeded, progress{}, "no time was left to ask AWS", "raise deadline in the configuration", false, failure.Unavailable},
		"port refused":      {dial(os.NewSyscallError("connect", syscall.ECONNREFUSED)), at(connecting), "HOST refused the connection", "check the endpoint's host and port, and firewalls that reject connections", true, failure.Unavailable},
		"unreachable":       {dial(os.NewSyscallError("connect", syscall.ENETUNREACH)), at(connecting), "HOST can't be reached: dial tcp: connect: network is unreachable", reach, true, failure.Unavailable},
		"broken":            {io.EOF, at(waiting), "HOST closed the connection", between, true, failure.Unavailable},
		"cut off":           {io.ErrUnexpectedEOF, progress{host: "HOST", status: 200, err: io.ErrUnexpectedEOF}, "HOST closed the connection in the middle of its answer", between, true, failure.Unavailable},
		"stopped":           {context.Canceled, at(waiting), "stopped while HOST was asked (waiting for its answer)", "", false, failure.Unavailable},

		"plain FTP":      {checkEndpoint(&url.URL{Scheme: "ftp", Host: "sts.example"}), at(starting), "the endpoint ftp://sts.example is not https; want https, or http to a loopback address", "", false, failure.Misconfigured},
		"plain hTTP":     {checkEndpoint(&url.URL{Scheme: "http", Host: "sts.example"}), at(starting), "the endpoint http://sts.example is not https; want https, or http to a loopback address", "", false, failure.Misconfigured},
		"not iMDSv2":     {imds(status(405, errors.New("refused"))), metadata(http.MethodPut, "/latest/api/token"), "the instance metadata service has no session tokens: HOST answered 405 Method Not Allowed", "this program uses only version 2 (IMDSv2); enable it", false, failure.Unavailable},
		"imds refused":   {imds(status(403, errors.New("refused"))), metadata(http.MethodPut, "/latest/api/token"), "HOST answered 403 Forbidden (the metadata service is off, or refuses version 2)", "turn the instance metadata service on (HttpEndpoint: enabled)", false, failure.Unavailable},
		"no profile":     {imds(status(404, errors.New("refused"))), metadata(http.MethodGet, "/latest/meta-data/iam/security-credentials/"), "HOST answered 404 Not Found (no instance profile is attached)", attach, false, failure.Unavailable},
		"imds disabled":  {imds(errors.New("access disabled, AWS_EC2_METADATA_DISABLED")), progress{}, "AWS_EC2_METADATA_DISABLED is set", attach, false, failure.Unavailable},
		"bad file":       {&fs.PathError{Op: "open", Path: "/token", Err: fs.ErrNotExist}, progress{}, "open /token: file does not exist", "check the file that the AWS variable or profile names", false, failure.Unavailable},
		"process failed": {processFailed, progress{}, "the profile's credential_process failed: exit status 3: no certificate", "run the command as the kubelet's user to see why", false, failure.Unavailable},
		"other":          {errors.New("odd"), progress{}, "odd", attach, false, failure.Unavailable},
		"no region": {
			&smithy.OperationError{ServiceID: "STS", Err: errors.New("endpoint rule error, Invalid Configuration: Missing Region")},
			progress{host: "HOST", status: 200, stage: reading}, // IMDS has answered
			"the SDK needs the node's region from AWS_REGION or the profile to call STS, and neither names one", "set AWS_REGION in the provider's env", false, failure.Unavailable,
		},
	}
	seen := map[string]bool{}
	for name, test := range tests {
		e := (&API{}).explain(test.err, test.progress)
		if !strings.HasPrefix(e.Error(), strings.TrimSpace(test.text)) || e.retried != test.retried || e.class != test.class {
			t.Errorf("%s: got %q, retried %t, %s; want %q, %t, %s", name, e, e.retried, e.class, test.text, test.retried, test.class)
		}
		wantHint(t, e, test.hint)
		c, _ := diagnose(test.err, test.progress)
		seen[c.text+c.hint] = true
	}
	for _, c := range causes {
		if !seen[c.text+c.hint] {
			t.Errorf("got no case for %q, want one", c.text)
		}
	}
}

// TestMetadataHint: an unreachable metadata service has its own hint, because the
// hints about AWS's services do not fit.
func TestMetadataHint(t *testing.T) {
	t.Parallel()
	err := &smithy.OperationError{ServiceID: "ec2imds", Err: context.DeadlineExceeded}
	e := (&API{}).explain(err, progress{host: "169.254.169.254", stage: connecting})
	wantHint(t, e, "check that the instance metadata service is on and that the node reaches 169.254.169.254")
}

// TestProxy: the errors that a real proxy causes, and the number of requests to the
// proxy.
func TestProxy(t *testing.T) {
	t.Parallel()
	silent := listen(t, func(net.Conn) {})
	answer := func(status int) (string, *requests) {
		asked := &requests{next: wire{status: status}}
		server := httptest.NewServer(asked)
		t.Cleanup(server.Close)
		return hostOfURL(server.URL), asked
	}
	forbidding, forbidden := answer(http.StatusForbidden)
	demanding, demanded := answer(http.StatusProxyAuthRequired)
	const host = "api.ecr.eu-west-1.amazonaws.com"
	for name, test := range map[string]struct {
		child, proxy, want string
		asked              *requests
	}{
		"forbids":          {"token", "http://" + forbidding, "the proxy refused to connect to " + host + ": 403 Forbidden", forbidden},
		"wants a password": {"token", "http://" + demanding, "the proxy " + demanding + " asks for a password to connect to " + host + " (407)", demanded},
		"refuses":          {"token", "http://127.0.0.1:1", "the proxy of the environment can't be reached to connect to " + host + ": connection refused", nil},
		"does not resolve": {"token", "http://proxy.invalid", "the proxy of the environment can't be reached to connect to " + host + ": lookup proxy.invalid", nil},
		"says nothing":     {"hurriedToken", "http://" + silent, "the proxy of the environment can't be reached to connect to " + host + ": no answer from " + silent + " in time", nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := inChild(t, test.child, append([]string{"HTTPS_PROXY=" + test.proxy}, staticKeys...))
			if !strings.HasPrefix(got, test.want) {
				t.Errorf("got %s, want %s", got, test.want)
			}
			if test.asked != nil && len(test.asked.seen()) != 1 {
				t.Errorf("the proxy was asked %q, want one request", test.asked.seen())
			}
		})
	}
}
