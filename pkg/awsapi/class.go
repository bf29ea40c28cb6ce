package awsapi

import (
	"errors"
	"net/http"

	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/smithy-go"
)

// Class is what an error of AWS means for what to do next.
type Class int

// The classes of errors.
const (
	// Unavailable: no answer, or none that can be used. Another time may do.
	Unavailable Class = iota
	// Refused: AWS knows who asks, and says no.
	Refused
	// Misconfigured: what was asked can't be answered, whenever it is asked.
	Misconfigured
	// CallersToken: the pod's service account token was not accepted.
	CallersToken
)

// String is the class as messages and records spell it.
func (c Class) String() string {
	return [...]string{"unavailable", "refused", "misconfigured", "caller's token"}[c]
}

// codes are the error codes whose class is not told by the HTTP status alone.
// Sources: the STS and ECR API references, "Common errors".
var codes = map[string]Class{
	"AccessDenied":          Refused,
	"AccessDeniedException": Refused,

	"ExpiredToken":          Unavailable, // the node's own session; a new one is on its way
	"ExpiredTokenException": Unavailable,

	"InvalidIdentityToken":          CallersToken,
	"InvalidIdentityTokenException": CallersToken,
	"IDPRejectedClaim":              CallersToken,
	"IDPRejectedClaimException":     CallersToken,
}

// classify finds an error's class.
func classify(err error) Class {
	var insecure *insecureEndpointError
	if errors.As(err, &insecure) {
		return Misconfigured
	}
	var api smithy.APIError
	if !errors.As(err, &api) {
		return Unavailable
	}
	if isExpiredCallersToken(err, api.ErrorCode()) {
		return CallersToken
	}
	if class, ok := codes[api.ErrorCode()]; ok {
		return class
	}
	if isTransient(err, api.ErrorCode()) {
		return Unavailable
	}
	return Misconfigured
}

// isTransient tells throttling and the service's own faults, whatever the
// status, from a request that can't be answered: 4xx.
func isTransient(err error, code string) bool {
	if _, ok := retry.DefaultThrottleErrorCodes[code]; ok {
		return true
	}
	if _, ok := retry.DefaultRetryableErrorCodes[code]; ok {
		return true
	}
	if code == idpUnreachable || code == idpUnreachable+"Exception" {
		return true
	}
	status := statusOf(err)
	return status < 400 || status >= 500 || status == http.StatusTooManyRequests ||
		status == http.StatusRequestTimeout || code == unknownCode
}

// isExpiredCallersToken: the same code says that the node's session is over,
// and that a pod's token is.
func isExpiredCallersToken(err error, code string) bool {
	var operation *smithy.OperationError
	return (code == "ExpiredToken" || code == "ExpiredTokenException") &&
		errors.As(err, &operation) && operation.OperationName == "AssumeRoleWithWebIdentity"
}

// idpUnreachable is STS failing to reach the issuer of a pod's token: a fault of
// the network that it answers with 400, and asks to be asked again.
const idpUnreachable = "IDPCommunicationError"

// unknownCode is the SDK's code for an error answer that it could not read, and
// its message for one that came without.
const unknownCode = "UnknownError"
