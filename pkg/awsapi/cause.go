package awsapi

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"slices"
	"strings"
	"syscall"

	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"ecr-cross-account-credential-provider/pkg/failure"
)

// cause is a reason why a call fails. In text and hint, HOST stands for the host
// that was called, SERVICE for the service, and DETAIL for what find returned.
type cause struct {
	find       func(error, progress) (detail string, found bool)
	text, hint string
	class      failure.Class
	retried    bool // it can change within the deadline
	metadata   bool // it applies to the instance metadata service only
}

const (
	untrusted = "the TLS certificate of HOST is not accepted: DETAIL"
	late      = "no answer from HOST in time (DETAIL)"
	distant   = "HOST can't be reached: DETAIL"

	toReach    = "the node must reach SERVICE over the internet or through an interface endpoint"
	toAnswer   = "check whether a proxy or a firewall answers in place of SERVICE"
	toTransmit = "check proxies, firewalls and the MTU between the node and SERVICE"
	toResolve  = "check the node's name servers"
	toAttach   = "attach an instance profile, or set credentials in the provider's env"
)

// causes are tried in this order. Of the SDK's errors, at most the innermost text is
// used. The whole text may quote a secret, or an answer of any length.
var causes = []cause{
	{
		find: missingRegion, text: "the SDK needs the node's region from AWS_REGION or the profile to call STS, and neither names one",
		hint: "set AWS_REGION in the provider's env",
	},
	{
		find: unreachableProxy, text: "the proxy of the environment can't be reached to connect to HOST: DETAIL",
		hint: "check HTTPS_PROXY in the provider's env, or put HOST into NO_PROXY", retried: true,
	},

	{find: expiredCertificate, text: untrusted, hint: "check the node's clock, and then the certificate"},
	{find: is[x509.UnknownAuthorityError], text: untrusted, hint: "if a proxy inspects TLS, name a file with its CA's certificate in AWS_CA_BUNDLE in the provider's env"},
	{find: is[x509.HostnameError], text: untrusted, hint: "check where DNS, the proxy or the configured endpoint leads"},
	{find: is[*tls.CertificateVerificationError], text: untrusted, hint: "check which server answers as HOST"},
	{find: notTLS, text: "HOST does not speak TLS", hint: "check the port of the endpoint or proxy, and whether it serves https"},
	{find: failedHandshake, text: "the TLS handshake with HOST failed: DETAIL", hint: "check which server or proxy answers as HOST, and its TLS versions"},

	{
		find: unresolved(true), text: "the name DETAIL",
		hint: "check the node's DNS; without internet access, SERVICE needs an interface endpoint with private DNS, or its URL in the configuration's endpoints",
	},
	{find: unresolved(false), text: "the name DETAIL", hint: toResolve, retried: true},

	{find: timeout(starting), text: "no time was left to ask AWS", hint: "raise deadline in the configuration"},
	{find: timeout(resolving), text: late, hint: toResolve, retried: true},
	{find: timeout(connecting), text: late, hint: toReach, retried: true},
	{find: timeout(handshaking, reading), text: late, hint: toTransmit, retried: true},
	{
		find: timeout(waiting), text: late, retried: true,
		hint: "the connection works, but SERVICE does not answer; check proxies on the path, and the AWS Health Dashboard",
	},

	{find: refusedPort, text: "HOST refused the connection", hint: "check the endpoint's host and port, and firewalls that reject connections", retried: true},
	{find: broken, text: "HOST closed the connection DETAIL", hint: "check proxies and firewalls between the node and SERVICE", retried: true},
	{find: is[*net.OpError], text: distant, hint: toReach, retried: true},
	{find: longHeaders, text: "HOST: the headers of the answer are larger than 1048576 bytes", hint: "check whether HOST is SERVICE"},

	{
		find: metadataStatus(http.MethodPut, "", http.StatusNotFound, http.StatusMethodNotAllowed), metadata: true,
		text: "the instance metadata service has no session tokens: HOST answered DETAIL", hint: "this program uses only version 2 (IMDSv2); enable it",
	},
	{
		find: metadataStatus("", "", http.StatusUnauthorized, http.StatusForbidden), metadata: true,
		text: "HOST answered DETAIL (the metadata service is off, or refuses version 2)", hint: "turn the instance metadata service on (HttpEndpoint: enabled)",
	},
	{
		find: metadataStatus("", "/security-credentials", http.StatusNotFound), metadata: true,
		text: "HOST answered DETAIL (no instance profile is attached)", hint: toAttach,
	},
	{find: statusFrom(http.StatusInternalServerError), text: "HOST answered DETAIL", hint: toAnswer, retried: true},
	{find: statusFrom(http.StatusMultipleChoices), text: "HOST answered DETAIL", hint: toAnswer},
	{find: unreadable, text: "HOST gave an answer that can't be read", hint: toAnswer, retried: true},

	{find: is[*fs.PathError], text: "DETAIL", hint: "check the file that the AWS variable or profile names"},
	{find: disabledMetadata, text: "AWS_EC2_METADATA_DISABLED is set", hint: toAttach},
	{find: beforeRequest, text: "DETAIL", hint: toAttach},
	{find: anything, text: distant, hint: toReach, retried: true},
}

// is finds an error of the type T. The detail is its text.
func is[E error](err error, _ progress) (string, bool) {
	e, ok := errors.AsType[E](err)
	if !ok {
		return "", false
	}
	return strings.TrimPrefix(e.Error(), "tls: failed to verify certificate: "), true
}

// missingRegion finds the SDK's error for a call of STS without a region. IMDS may have
// answered just before. The SDK has no type for this error.
func missingRegion(err error, _ progress) (string, bool) {
	return "", strings.HasSuffix(innermost(err).Error(), "Missing Region")
}

func unreachableProxy(err error, p progress) (string, bool) {
	if operation, ok := errors.AsType[*net.OpError](err); ok && operation.Op == "proxyconnect" {
		return innermost(operation.Err).Error(), true
	}
	return "no answer from " + p.proxy + " in time", isTimeout(err) && p.proxy != "" && p.stage <= connecting
}

func expiredCertificate(err error, _ progress) (string, bool) {
	invalid, ok := errors.AsType[x509.CertificateInvalidError](err)
	return invalid.Error(), ok && invalid.Reason == x509.Expired
}

func notTLS(err error, p progress) (string, bool) {
	_, ok := is[tls.RecordHeaderError](err, p)
	return "", ok || errors.Is(err, http.ErrSchemeMismatch)
}

func failedHandshake(err error, p progress) (string, bool) {
	_, alert := is[tls.AlertError](err, p)
	text := innermost(err).Error()
	return text, alert || p.stage == handshaking && strings.HasPrefix(text, "tls: ")
}

func unresolved(notFound bool) func(error, progress) (string, bool) {
	return func(err error, _ progress) (string, bool) {
		dns, ok := errors.AsType[*net.DNSError](err)
		if !ok {
			return "", false
		}
		return fmt.Sprintf("%s does not resolve (%s)", dns.Name, dns.Err), !dns.IsTimeout && dns.IsNotFound == notFound
	}
}

func timeout(stages ...stage) func(error, progress) (string, bool) {
	return func(err error, p progress) (string, bool) {
		return p.doing(), isTimeout(err) && slices.Contains(stages, p.stage)
	}
}

func refusedPort(err error, _ progress) (string, bool) {
	return "", errors.Is(err, syscall.ECONNREFUSED)
}

// broken finds a connection that ended too early. After a status, only the
// connection's own error counts, because the SDK's decoder also returns io.EOF.
func broken(err error, p progress) (string, bool) {
	detail := ""
	if p.status != 0 {
		err, detail = p.err, "in the middle of its answer"
	}
	return detail, slices.ContainsFunc([]error{io.EOF, io.ErrUnexpectedEOF, net.ErrClosed, syscall.ECONNRESET, syscall.EPIPE}, func(end error) bool {
		return errors.Is(err, end)
	})
}

// longHeaders compares texts, because net/http has no type for this error.
func longHeaders(err error, _ progress) (string, bool) {
	text := err.Error()
	return "", strings.Contains(text, "response headers exceeded") || strings.Contains(text, "response header list larger")
}

func metadataStatus(method, path string, codes ...int) func(error, progress) (string, bool) {
	return func(err error, p progress) (string, bool) {
		return status(err), isMetadata(err) && (method == "" || method == p.method) && strings.Contains(p.path, path) && slices.Contains(codes, statusOf(err))
	}
}

func statusFrom(code int) func(error, progress) (string, bool) {
	return func(err error, _ progress) (string, bool) { return status(err), statusOf(err) >= code }
}

func unreadable(err error, _ progress) (string, bool) {
	return "", statusOf(err) != 0 || strings.Contains(innermost(err).Error(), "malformed ") // net/http has no type for it
}

func disabledMetadata(err error, p progress) (string, bool) {
	return "", p.host == "" && strings.Contains(err.Error(), "AWS_EC2_METADATA_DISABLED")
}

func beforeRequest(err error, p progress) (string, bool) {
	return innermost(err).Error(), p.host == ""
}

func anything(err error, _ progress) (string, bool) { return innermost(err).Error(), true }

// isMetadata reports whether an error comes from the SDK's client of IMDS.
func isMetadata(err error) bool {
	operation, ok := errors.AsType[*smithy.OperationError](err)
	return ok && operation.Service() == "ec2imds"
}

func status(err error) string {
	code := statusOf(err)
	return strings.TrimSpace(fmt.Sprintf("%d %s", code, http.StatusText(code)))
}

// statusOf returns the HTTP status of the answer, or 0 if there was no answer. The
// SDK returns a response error even if there was no answer.
func statusOf(err error) int {
	if response, ok := errors.AsType[*smithyhttp.ResponseError](err); ok {
		return response.HTTPStatusCode()
	}
	return 0
}

func isTimeout(err error) bool {
	timeout, ok := errors.AsType[net.Error](err)
	return errors.Is(err, context.DeadlineExceeded) || ok && timeout.Timeout()
}

// innermost returns the error that all the others wrap.
func innermost(err error) error {
	for next := errors.Unwrap(err); next != nil; next = errors.Unwrap(err) {
		err = next
	}
	return err
}
