package fakeaws

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// signature is the Authorization header of a signed request (Signature Version
// 4, IAM User Guide, "Create a signed AWS API request").
type signature struct {
	accessKeyID, date, region, service string
	signedHeaders                      []string
	value                              string
}

func parseSignature(header string) (signature, error) {
	fields, ok := strings.CutPrefix(header, "AWS4-HMAC-SHA256 ")
	if !ok {
		return signature{}, fmt.Errorf("the request is not signed")
	}
	var s signature
	for field := range strings.SplitSeq(fields, ",") {
		name, value, _ := strings.Cut(strings.TrimSpace(field), "=")
		switch name {
		case "Credential":
			scope := strings.Split(value, "/")
			if len(scope) != 5 || scope[4] != "aws4_request" {
				return signature{}, fmt.Errorf("the credential's scope is %q", value)
			}
			s.accessKeyID, s.date, s.region, s.service = scope[0], scope[1], scope[2], scope[3]
		case "SignedHeaders":
			s.signedHeaders = strings.Split(value, ";")
		case "Signature":
			s.value = value
		}
	}
	return s, nil
}

// maxClockDifference is the largest accepted difference between the clocks of
// client and AWS.
const maxClockDifference = 5 * time.Minute

// authenticateRequest returns the credentials that signed the request, or AWS's error.
func (w *World) authenticateRequest(r *http.Request, body []byte, service string) (signature, Credentials, *apiError) {
	s, err := parseSignature(r.Header.Get("Authorization"))
	if err != nil {
		return s, Credentials{}, &apiError{http.StatusForbidden, "MissingAuthenticationToken", err.Error()}
	}
	c, ok := w.credentials(s.accessKeyID)
	if !ok || c.SessionToken != r.Header.Get("X-Amz-Security-Token") {
		return s, c, errUnknownKey
	}
	now := w.Now()
	if !c.Expires.After(now) {
		return s, c, errExpired
	}
	at := r.Header.Get("X-Amz-Date")
	signedAt, err := time.Parse("20060102T150405Z", at)
	canonical := s.canonicalRequest(r, body)
	switch {
	case err != nil || !strings.HasPrefix(at, s.date):
		return s, c, mismatch("the scope's date is not the request's")
	case s.service != service:
		return s, c, mismatch(fmt.Sprintf("the scope's service is %q and should be %q", s.service, service))
	case w.isLate(signedAt):
		return s, c, mismatch(fmt.Sprintf("Signature expired: %s is now not within 5 min. of %s", at, now.UTC().Format("20060102T150405Z")))
	case !slices.Contains(s.signedHeaders, "host") || !slices.Contains(s.signedHeaders, "x-amz-security-token"):
		return s, c, mismatch("host or token is not signed")
	case !hmac.Equal([]byte(s.value), []byte(s.sign(c.SecretAccessKey, at, canonical))):
		return s, c, mismatch("The request signature we calculated does not match the signature you provided. The Canonical String for this request should have been '" + canonical + "'")
	}
	return s, c, nil
}

func (s signature) sign(secret, at, canonical string) string {
	key := []byte("AWS4" + secret)
	for _, part := range []string{s.date, s.region, s.service, "aws4_request"} {
		key = mac(key, part)
	}
	scope := strings.Join([]string{s.date, s.region, s.service, "aws4_request"}, "/")
	return hex.EncodeToString(mac(key, strings.Join([]string{"AWS4-HMAC-SHA256", at, scope, digest([]byte(canonical))}, "\n")))
}

func (s signature) canonicalRequest(r *http.Request, body []byte) string {
	var headers strings.Builder
	for _, name := range s.signedHeaders {
		fmt.Fprintf(&headers, "%s:%s\n", name, strings.Join(strings.Fields(headerValue(r, name)), " "))
	}
	path := r.URL.EscapedPath()
	if path == "" {
		path = "/"
	}
	return strings.Join([]string{
		r.Method, path, canonicalQuery(r.URL.Query()), headers.String(),
		strings.Join(s.signedHeaders, ";"), digest(body),
	}, "\n")
}

func headerValue(r *http.Request, name string) string {
	switch name {
	case "host":
		return r.Host
	case "content-length":
		return strconv.FormatInt(r.ContentLength, 10)
	}
	return strings.Join(r.Header.Values(name), ",")
}

func canonicalQuery(query url.Values) string {
	return strings.ReplaceAll(query.Encode(), "+", "%20")
}

func mac(key []byte, text string) []byte {
	h := hmac.New(sha256.New, key)
	h.Write([]byte(text))
	return h.Sum(nil)
}

func digest(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}
