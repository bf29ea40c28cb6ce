package fakeaws

import (
	"net/http"
	"strings"
	"testing"
	"time"
)

// TestSignature: a request is accepted only if the right credentials signed exactly
// this request, for this service and the current time.
func TestSignature(t *testing.T) {
	t.Parallel()
	replace := func(name, from, to string) func(*http.Request) {
		return func(r *http.Request) { r.Header.Set(name, strings.Replace(r.Header.Get(name), from, to, 1)) }
	}
	tests := []struct {
		name   string
		by     func(*signing)
		tamper func(*http.Request)
		sts    string // "" means accepted
		ecr    string
	}{
		{"right", nil, nil, "", ""},
		{"another region", func(s *signing) { s.region = "us-west-2" }, nil, "", ""},
		{"a little late", func(s *signing) { s.at = s.at.Add(-4 * time.Minute) }, nil, "", ""},
		{"wrong secret", func(s *signing) { s.SecretAccessKey = "wrong" }, nil, "SignatureDoesNotMatch", "InvalidSignatureException"},
		{"unknown key", func(s *signing) { s.AccessKeyID = "ASIAUNKNOWN" }, nil, "InvalidClientTokenId", "UnrecognizedClientException"},
		{"another session's token", func(s *signing) { s.SessionToken += "x" }, nil, "InvalidClientTokenId", "UnrecognizedClientException"},
		{"no session token", func(s *signing) { s.SessionToken = "" }, nil, "InvalidClientTokenId", "UnrecognizedClientException"},
		{"another service", func(s *signing) { s.service = "s3" }, nil, "SignatureDoesNotMatch", "InvalidSignatureException"},
		{"too late", func(s *signing) { s.at = s.at.Add(-6 * time.Minute) }, nil, "SignatureDoesNotMatch", "InvalidSignatureException"},
		{"too early", func(s *signing) { s.at = s.at.Add(6 * time.Minute) }, nil, "SignatureDoesNotMatch", "InvalidSignatureException"},
		{"another day", func(s *signing) { s.at = s.at.Add(-24 * time.Hour) }, nil, "SignatureDoesNotMatch", "InvalidSignatureException"},
		{"not signed", nil, func(r *http.Request) { r.Header.Del("Authorization") }, "MissingAuthenticationToken", "MissingAuthenticationToken"},
		{"signed otherwise", nil, replace("Authorization", "AWS4-HMAC-SHA256", "AWS4-ECDSA-P256-SHA256"), "MissingAuthenticationToken", "MissingAuthenticationToken"},
		{"half a scope", nil, replace("Authorization", "/aws4_request", ""), "MissingAuthenticationToken", "MissingAuthenticationToken"},
		{"the scope's region changed", nil, replace("Authorization", "/eu-west-1/", "/us-west-2/"), "SignatureDoesNotMatch", "InvalidSignatureException"},
		{"the signature changed", nil, replace("Authorization", "Signature=", "Signature=0"), "SignatureDoesNotMatch", "InvalidSignatureException"},
		{"no signature", nil, replace("Authorization", "Signature=", "Other="), "SignatureDoesNotMatch", "InvalidSignatureException"},
		{"the token's header not signed", nil, replace("Authorization", ";x-amz-security-token", ""), "SignatureDoesNotMatch", "InvalidSignatureException"},
		{"the date changed", nil, func(r *http.Request) {
			at, _ := time.Parse("20060102T150405Z", r.Header.Get("X-Amz-Date"))
			r.Header.Set("X-Amz-Date", at.Add(time.Second).Format("20060102T150405Z"))
		}, "SignatureDoesNotMatch", "InvalidSignatureException"},
		{"no date", nil, func(r *http.Request) { r.Header.Del("X-Amz-Date") }, "SignatureDoesNotMatch", "InvalidSignatureException"},
		{"another host", nil, func(r *http.Request) { r.Host = "sts.amazonaws.com" }, "SignatureDoesNotMatch", "InvalidSignatureException"},
		{"another path", nil, func(r *http.Request) { r.URL.Path = "/other" }, "SignatureDoesNotMatch", "InvalidSignatureException"},
		{"a query", nil, func(r *http.Request) { r.URL.RawQuery = "a=b" }, "SignatureDoesNotMatch", "InvalidSignatureException"},
		{"another body", nil, func(r *http.Request) { *r = *otherBody(r) }, "SignatureDoesNotMatch", "InvalidSignatureException"},
		{"another type", nil, replace("Content-Type", "application/", "text/"), "SignatureDoesNotMatch", "InvalidSignatureException"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			s := start(t, ExampleWorld(), Options{})
			for service, r := range map[Service]request{STS: stsRequest(s, "GetCallerIdentity"), ECR: ecrRequest(s)} {
				by := signing{session(s.World, nodeRole, time.Hour, false), string(service), "eu-west-1", s.World.Now()}
				if test.by != nil {
					test.by(&by)
				}
				req := r.sign(t, by)
				if test.tamper != nil {
					test.tamper(req)
				}
				wantCode(t, service, send(t, newClient(t, s), req), map[Service]string{STS: test.sts, ECR: test.ecr}[service])
			}
		})
	}
}

// otherBody returns the request with another body of the same length. The signature
// does not cover that body.
func otherBody(r *http.Request) *http.Request {
	other := r.Clone(r.Context())
	body := strings.Repeat("x", int(r.ContentLength))
	replaced, err := http.NewRequestWithContext(r.Context(), r.Method, r.URL.String(), strings.NewReader(body))
	if err != nil {
		panic(err)
	}
	other.Body, other.GetBody = replaced.Body, replaced.GetBody
	return other
}

// wantCode checks that an answer has an error's code, in the service's form.
func wantCode(t *testing.T, service Service, got answer, code string) {
	t.Helper()
	status := http.StatusOK
	switch {
	case code == "":
	case service == STS:
		status = http.StatusForbidden
	default:
		status = http.StatusBadRequest
	}
	if got.status != status || got.code != code {
		t.Errorf("%s answers %d %s (%s), want %d %s", service, got.status, got.code, got.text, status, code)
	}
}

func TestExpiredSession(t *testing.T) {
	t.Parallel()
	s := start(t, ExampleWorld(), Options{})
	old := session(s.World, nodeRole, -time.Second, false)
	sign := func(r request, service string) *http.Request {
		return r.sign(t, signing{old, service, "eu-west-1", s.World.Now()})
	}
	wantCode(t, STS, send(t, newClient(t, s), sign(stsRequest(s, "GetCallerIdentity"), "sts")), "ExpiredToken")
	wantCode(t, ECR, send(t, newClient(t, s), sign(ecrRequest(s), "ecr")), "ExpiredTokenException")
}

// TestSkew: only the clock of AWS counts.
func TestSkew(t *testing.T) {
	t.Parallel()
	s := start(t, ExampleWorld(), Options{})
	s.World.SetSkew(time.Hour)
	by := signing{session(s.World, nodeRole, 2*time.Hour, false), "sts", "eu-west-1", time.Now()}
	wantCode(t, STS, send(t, newClient(t, s), stsRequest(s, "GetCallerIdentity").sign(t, by)), "SignatureDoesNotMatch")
	by.at = s.World.Now()
	wantCode(t, STS, send(t, newClient(t, s), stsRequest(s, "GetCallerIdentity").sign(t, by)), "")
}

// TestPass: credentials and tokens age with AWS's clock. A request may be signed by the
// machine's clock or by AWS's clock, and by no other.
func TestPass(t *testing.T) {
	t.Parallel()
	s := start(t, ExampleWorld(), Options{})
	by := signing{session(s.World, nodeRole, 3*time.Hour, false), "sts", "eu-west-1", time.Now()}
	s.World.Pass(2 * time.Hour)
	wantCode(t, STS, send(t, newClient(t, s), stsRequest(s, "GetCallerIdentity").sign(t, by)), "")
	by.at = s.World.Now()
	wantCode(t, STS, send(t, newClient(t, s), stsRequest(s, "GetCallerIdentity").sign(t, by)), "")
	by.at = time.Now().Add(time.Hour)
	wantCode(t, STS, send(t, newClient(t, s), stsRequest(s, "GetCallerIdentity").sign(t, by)), "SignatureDoesNotMatch")
	s.World.Pass(time.Hour)
	by.at = time.Now()
	wantCode(t, STS, send(t, newClient(t, s), stsRequest(s, "GetCallerIdentity").sign(t, by)), "ExpiredToken")
}

// TestPublicRegion: the API of ECR Public exists in one region only.
func TestPublicRegion(t *testing.T) {
	t.Parallel()
	s := start(t, ExampleWorld(), Options{})
	by := signing{session(s.World, nodeRole, time.Hour, false), "ecr-public", "eu-west-1", s.World.Now()}
	wantCode(t, ECRPublic, send(t, newClient(t, s), publicRequest(s).sign(t, by)), "InvalidSignatureException")
	by.region = "us-east-1"
	wantCode(t, ECRPublic, send(t, newClient(t, s), publicRequest(s).sign(t, by)), "")
}
