package awsapi

import (
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"strings"
	"testing"

	"ecr-cross-account-credential-provider/pkg/printable"

	"ecr-cross-account-credential-provider/pkg/failure"
)

func quiet() *log.Logger { return log.New(io.Discard, "", 0) }

// TestAnswers: the class and the text of each error that AWS returns, and whether
// another attempt follows.
func TestAnswers(t *testing.T) {
	t.Parallel()
	const signature = "the request's signature was not accepted"
	const canonical = "The Canonical String for this request should have been 'POST\n/\n\nx-amz-security-token:SESSIONTOKENexample'"
	html := wire{body: "<html><body>SECRETKEYexample</body></html>"}
	withStatus := func(a wire, status int) wire { a.status = status; return a }
	tests := []struct {
		name   string
		ask    ask
		answer wire
		class  failure.Class
		text   string
		again  bool
	}{
		{"STS denies", assumeRole, queryError(403, "AccessDenied", "User: x is not authorized"), failure.Refused, "AccessDenied: User: x is not authorized", false},
		{"STS denies a web identity", assumeRoleWithWebIdentity, queryError(403, "AccessDenied", "no"), failure.Refused, "AccessDenied: no", false},
		{"ECR denies", getToken, jsonError(400, "AccessDeniedException", "no"), failure.Refused, "AccessDeniedException: no", false},
		{"ECR denies by a long name", getToken, jsonError(400, "com.amazonaws.ecr#AccessDeniedException", "no"), failure.Refused, "AccessDeniedException: no", false},
		{"ECR Public denies", getPublicToken, jsonError(400, "AccessDeniedException", "no"), failure.Refused, "AccessDeniedException: no", false},

		{"STS 500", assumeRole, queryError(500, "InternalFailure", "oops"), failure.Unavailable, "InternalFailure: oops", true},
		{"STS 503", assumeRole, queryError(503, "ServiceUnavailable", "later"), failure.Unavailable, "ServiceUnavailable: later", true},
		{"STS throttles", assumeRole, queryError(400, "Throttling", "Rate exceeded"), failure.Unavailable, "Throttling: Rate exceeded", true},
		{"STS throttles with 429", assumeRole, queryError(429, "Whatever", "Rate exceeded"), failure.Unavailable, "Whatever: Rate exceeded", true},
		{"STS got half a request", assumeRole, queryError(408, "RequestTimeout", "slow"), failure.Unavailable, "RequestTimeout: slow", true},
		{"ECR 500", getToken, jsonError(500, "ServerException", "oops"), failure.Unavailable, "ServerException: oops", true},
		{"ECR throttles", getToken, jsonError(400, "ThrottlingException", "Rate exceeded"), failure.Unavailable, "ThrottlingException: Rate exceeded", true},
		{"ECR throttles otherwise", getToken, jsonError(400, "TooManyRequestsException", ""), failure.Unavailable, "TooManyRequestsException", true},
		{"ECR Public 500", getPublicToken, jsonError(500, "ServerException", "oops"), failure.Unavailable, "ServerException: oops", true},
		{"the issuer can't be reached", assumeRoleWithWebIdentity, queryError(400, "IDPCommunicationError", "no keys"), failure.Unavailable, "IDPCommunicationError: no keys", true},
		{"the node's session is over, STS", assumeRole, queryError(403, "ExpiredToken", "old"), failure.Unavailable, "ExpiredToken: old", false},
		{"the node's session is over, ECR", getToken, jsonError(400, "ExpiredTokenException", "old"), failure.Unavailable, "ExpiredTokenException: old", false},
		{"STS 502 of a proxy", assumeRole, withStatus(html, 502), failure.Unavailable, "HOST answered 502 Bad Gateway without a reason", true},
		{"ECR 502 of a proxy", getToken, withStatus(html, 502), failure.Unavailable, "HOST answered 502 Bad Gateway", true},
		{"STS 403 of a proxy", assumeRole, withStatus(html, 403), failure.Unavailable, "HOST answered 403 Forbidden without a reason", true},
		{"ECR 403 of a proxy", getToken, withStatus(html, 403), failure.Unavailable, "HOST answered 403 Forbidden", false},
		{"STS 500 without a body", assumeRole, wire{status: 500}, failure.Unavailable, "HOST answered 500 Internal Server Error without a reason", true},
		{"ECR 500 without a body", getToken, wire{status: 500}, failure.Unavailable, "HOST answered 500 Internal Server Error without a reason", true},
		{"ECR 400 without a body", getToken, wire{status: 400, body: "{}"}, failure.Unavailable, "HOST answered 400 Bad Request without a reason", true},
		{"STS garbage", assumeRole, withStatus(html, 200), failure.Unavailable, "HOST gave an answer that can't be read", true},
		{"ECR garbage", getToken, withStatus(html, 200), failure.Unavailable, "HOST gave an answer that can't be read", true},
		{"an unknown status", getToken, withStatus(html, 599), failure.Unavailable, "HOST answered 599", true},

		{"STS validates", assumeRole, queryError(400, "ValidationError", "bad ARN"), failure.Misconfigured, "ValidationError: bad ARN", false},
		{"STS is off in the region", assumeRole, queryError(403, "RegionDisabledException", "off"), failure.Misconfigured, "RegionDisabledException: off", false},
		{"tags too large", assumeRole, queryError(400, "PackedPolicyTooLarge", "large"), failure.Misconfigured, "PackedPolicyTooLarge: large", false},
		{"bad policy", assumeRole, queryError(400, "MalformedPolicyDocument", "bad"), failure.Misconfigured, "MalformedPolicyDocument: bad", false},
		{"an unknown key of STS", assumeRole, queryError(403, "InvalidClientTokenId", "who?"), failure.Misconfigured, "InvalidClientTokenId: who?", false},
		{"an unknown key of ECR", getToken, jsonError(400, "UnrecognizedClientException", "who?"), failure.Misconfigured, "UnrecognizedClientException: who?", false},
		{"STS signature", assumeRole, queryError(403, "SignatureDoesNotMatch", canonical), failure.Misconfigured, "SignatureDoesNotMatch: " + signature, false},
		{"STS half a signature", assumeRole, queryError(400, "IncompleteSignature", canonical), failure.Misconfigured, "IncompleteSignature: " + signature, false},
		{"ECR signature", getToken, jsonError(400, "InvalidSignatureException", canonical), failure.Misconfigured, "InvalidSignatureException: " + signature, false},
		{"ECR parameters", getToken, jsonError(400, "InvalidParameterException", "bad"), failure.Misconfigured, "InvalidParameterException: bad", false},
		{"no such operation", assumeRole, queryError(400, "InvalidAction", "what?"), failure.Misconfigured, "InvalidAction: what?", false},

		{"the pod's token is old", assumeRoleWithWebIdentity, queryError(400, "ExpiredTokenException", "old"), failure.CallersToken, "ExpiredTokenException: old", false},
		{"the pod's token is old, in short", assumeRoleWithWebIdentity, queryError(400, "ExpiredToken", "old"), failure.CallersToken, "ExpiredToken: old", false},
		{"the pod's token is bad", assumeRoleWithWebIdentity, queryError(400, "InvalidIdentityToken", "bad"), failure.CallersToken, "InvalidIdentityToken: bad", false},
		{"the pod's token is bad, at length", assumeRoleWithWebIdentity, queryError(400, "InvalidIdentityTokenException", "bad"), failure.CallersToken, "InvalidIdentityTokenException: bad", false},
		{"the issuer's claim", assumeRoleWithWebIdentity, queryError(403, "IDPRejectedClaim", "bad"), failure.CallersToken, "IDPRejectedClaim: bad", false},
	}
	for _, test := range tests {
		for _, overTLS := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, TLS %t", test.name, overTLS), func(t *testing.T) {
				t.Parallel()
				api, count := serve(t, test.answer, overTLS)
				err := test.ask(t.Context(), api)
				host := hostOfURL(*api.cfg.BaseEndpoint)
				text := strings.Replace(test.text, "HOST", host, 1)
				wantError(t, err, test.class, text)
				if err.Error() != text {
					t.Errorf("got text %q, want %q", err, text)
				}
				if want := map[bool]int32{true: MaxAttempts, false: 1}[test.again]; count.n.Load() != want {
					t.Errorf("got %d requests, want %d", count.n.Load(), want)
				}
			})
		}
	}
}

func hostOfURL(url string) string {
	_, host, _ := strings.Cut(url, "://")
	return host
}

// TestHostileText: whatever an answer says, the message is one short line.
func TestHostileText(t *testing.T) {
	t.Parallel()
	texts := map[string]string{
		"lines":       "a\r\nb\nc\u0085d\u2028e\u2029f\vg\fh",
		"terminal":    "\x1b[31mred\x1b]0;title\x07\b\b\b\u009b2J",
		"nul":         "a\x00b",
		"directions":  "\u202eabc\u2066\u200b\ufeff",
		"long":        strings.Repeat("long ", 50_000),
		"long letter": strings.Repeat("世", 50_000),
		"not UTF-8":   strings.Repeat("\xff", 5000),
	}
	for name, text := range texts {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			api := apiOver(t, jsonError(400, "InvalidParameterException", text).answer)
			wantError(t, getToken(t.Context(), api), failure.Misconfigured, "InvalidParameterException: ")
			wantLine(t, printable.Line(text, 1000))
			api = apiOver(t, wire{status: 400, body: `{}`, header: http.Header{"X-Amzn-Errortype": {"Bad" + printable.Line(text, 1000)}}}.answer)
			wantError(t, getToken(t.Context(), api), failure.Misconfigured, "Bad")
		})
	}
}

func TestUnusable(t *testing.T) {
	t.Parallel()
	unusable := fmt.Errorf("getting a token: %w", Unusable("the answer has no token"))
	if class, ok := failure.Of(unusable); !ok || class != failure.Unavailable || Hint(unusable, "STS") != "" {
		t.Errorf("got class %v (%t), hint %q; want %v and no hint", class, ok, Hint(unusable, "STS"), failure.Unavailable)
	}
	if Hint(errors.New("other"), "STS") != "" || Hint(nil, "STS") != "" {
		t.Error("got a hint for an error that is not of a call, or for nil; want none")
	}
}
