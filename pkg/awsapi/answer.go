package awsapi

import (
	"errors"
	"net/http"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/smithy-go"

	"ecr-cross-account-credential-provider/pkg/failure"
)

// codes are the error codes whose class does not depend on the HTTP status. They
// are spelled without the suffix Exception. Sources: the STS and ECR API
// references, "Common errors".
var codes = map[string]failure.Class{
	"AccessDenied":          failure.Refused,
	"ExpiredToken":          failure.Unavailable, // the node's own session; it is renewed soon
	"IDPCommunicationError": failure.Unavailable, // STS cannot reach the token's issuer, and answers 400
	"InvalidIdentityToken":  failure.CallersToken,
	"IDPRejectedClaim":      failure.CallersToken,
}

// unknownCode is the SDK's code for an error answer that it could not read. It is
// also the SDK's message for an error answer without a message.
const unknownCode = "UnknownError"

// answered returns the cause of an error that AWS returned, and its detail.
func answered(err error, api smithy.APIError) (cause, string) {
	code, message := api.ErrorCode(), strings.TrimSpace(api.ErrorMessage())
	c := cause{text: "DETAIL"}
	c.class, c.retried = classify(err, code)
	switch {
	case code == "" && message != "": // a container's endpoint may answer with text alone
		c.text = "HOST answered DETAIL"
		return c, status(err) + ": " + message
	case code == unknownCode || code == "":
		c.text, c.hint = "HOST answered DETAIL without a reason", toAnswer
		return c, status(err)
	case strings.Contains(code, "Signature"):
		// AWS's text quotes the request's headers, including the session token.
		c.text, c.hint = "DETAIL: the request's signature was not accepted", "check the node's clock and the secret access key"
		return c, code
	case message == "" || message == unknownCode:
		return c, code
	case strings.Contains(message, "DurationSeconds exceeds"):
		c.hint = "lower the duration of this role in the configuration, or raise the role's MaxSessionDuration (role chaining allows 1h at most)"
	}
	return c, code + ": " + message
}

// classify returns the class of an error that AWS returned. It also reports whether
// another attempt may succeed.
func classify(err error, code string) (class failure.Class, retried bool) {
	short := strings.TrimSuffix(code, "Exception")
	operation, ok := errors.AsType[*smithy.OperationError](err)
	if short == "ExpiredToken" && ok && operation.OperationName == "AssumeRoleWithWebIdentity" {
		return failure.CallersToken, false // the same code also says that the node's session has expired
	}
	if class, ok := codes[short]; ok {
		return class, short == "IDPCommunicationError"
	}
	_, retryable := retry.DefaultRetryableErrorCodes[code]
	status := statusOf(err)
	if retryable || isThrottled(err) || status < 400 || status >= 500 ||
		status == http.StatusTooManyRequests || status == http.StatusRequestTimeout || code == unknownCode {
		return failure.Unavailable, true
	}
	// If AWS refused the signature because the node's clock is wrong, the SDK marks
	// the error as retryable. It has read the time difference from the answer.
	return failure.Misconfigured, retry.RetryableError{}.IsErrorRetryable(err).Bool()
}

func isThrottled(err error) bool {
	return retry.IsErrorThrottles(retry.DefaultThrottles).IsErrorThrottle(err).Bool()
}
