package doctor

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"strings"

	"github.com/aws/smithy-go"

	"ecr-cross-account-credential-provider/pkg/awsapi"
	"ecr-cross-account-credential-provider/pkg/diagnosis"
	"ecr-cross-account-credential-provider/pkg/failure"
)

// cause returns why a call failed. It leaves out the call's purpose, because the
// check names it.
func cause(err error) string {
	if e, ok := errors.AsType[*awsapi.Error](err); ok {
		return e.Error()
	}
	return err.Error()
}

// sideOfNetwork returns the side that can repair the network error of a host.
func sideOfNetwork(err error) diagnosis.Side {
	_, unknown := errors.AsType[x509.UnknownAuthorityError](err)
	operation, ok := errors.AsType[*net.OpError](err)
	if unknown || expired(err) || ok && operation.Op == "proxyconnect" || strings.Contains(cause(err), "proxy") {
		return diagnosis.Node
	}
	return diagnosis.Endpoint
}

// expired reports whether a certificate is no longer valid or not yet valid.
func expired(err error) bool {
	invalid, ok := errors.AsType[x509.CertificateInvalidError](err)
	return ok && invalid.Reason == x509.Expired
}

// unanswered returns the finding for a call that failed without a refusal by AWS.
func unanswered(err error, service string) diagnosis.Finding {
	f := diagnosis.Fail(diagnosis.Unknown, cause(err), awsapi.Hint(err, service))
	class, _ := failure.Of(err)
	api, answered := errors.AsType[smithy.APIError](err)
	switch {
	case !answered:
		f.Cause.Side = sideOfNetwork(err)
	case strings.HasPrefix(api.ErrorCode(), "ExpiredToken"), strings.HasPrefix(api.ErrorCode(), "InvalidClientTokenId"),
		strings.HasPrefix(api.ErrorCode(), "UnrecognizedClient"), strings.Contains(api.ErrorCode(), "Signature"):
		f.Cause.Side = diagnosis.Node
		if f.Hint == "" {
			f.Hint = "the node's credentials are not valid (any more); renew them where they come from"
		}
	case class == failure.Misconfigured:
		f.Cause.Side = diagnosis.Node // the node's configuration
	default:
		f.Cause.Side = diagnosis.AWS
		if f.Hint == "" {
			f.Hint = "wait, and check the AWS Health Dashboard and the account's quotas"
		}
	}
	return f
}

// hintOfRuntime returns what to do if the container runtime does not reach a host.
func hintOfRuntime(err error, host string) string {
	operation, dialed := errors.AsType[*net.OpError](err)
	_, unknown := errors.AsType[x509.UnknownAuthorityError](err)
	_, invalid := errors.AsType[*tls.CertificateVerificationError](err)
	switch {
	case unknown:
		return "the container runtime trusts the system's CAs, not those of AWS_CA_BUNDLE; if a proxy inspects TLS, add its CA to the system's"
	case expired(err):
		return "check the node's clock, and then the certificate"
	case invalid:
		return "check which server the name leads to, by DNS or through a proxy"
	case dialed && operation.Op == "proxyconnect", strings.Contains(cause(err), "proxy"):
		return "check HTTPS_PROXY and NO_PROXY of the container runtime's service"
	}
	return "the node must reach " + host
}
