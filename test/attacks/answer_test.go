//go:build linux

package attacks_test

import (
	"encoding/base64"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"ecr-cross-account-credential-provider/test/fakeaws"
)

// grow fills a node's cache with a stale token. It is valid for 11 hours, but its
// session has ended.
func (n *node) grow() {
	n.t.Helper()
	n.aws.World.SetSkew(-time.Hour)
	n.want(n.pull(image), outcome{keep: time.Second})
	n.aws.World.SetSkew(0)
	n.aws.Forget()
}

// TestValidToken: after any answer of AWS except a refusal, the plugin serves a token
// that is still valid. A refusal drops the token.
func TestValidToken(t *testing.T) {
	t.Parallel()
	stale := outcome{keep: 5 * time.Minute, says: "using the token"}
	dropped := outcome{class: failed, says: "AccessDenied"}
	tests := map[string]struct {
		status int
		want   outcome
	}{
		"AccessDenied": {403, dropped}, "AccessDeniedException": {400, dropped},
		"InvalidClientTokenId": {403, stale}, "UnrecognizedClientException": {400, stale}, "SignatureDoesNotMatch": {403, stale},
		"InvalidSignatureException": {400, stale}, "IncompleteSignature": {400, stale}, "RequestExpired": {400, stale},
		"OptInRequired": {403, stale}, "RegionDisabledException": {403, stale}, "ValidationError": {400, stale},
		"PackedPolicyTooLarge": {400, stale}, "MalformedPolicyDocument": {400, stale}, "MalformedQueryString": {404, stale},
		"InvalidAction": {400, stale}, "MissingAuthenticationToken": {403, stale}, "Evil": {400, stale}, "Teapot": {418, stale},
		"Gone": {410, stale}, "TooLarge": {413, stale}, "Legal": {451, stale}, "Throttling": {400, stale}, "SlowDown": {503, stale},
		"InternalFailure": {500, stale}, "ExpiredToken": {403, stale}, "ExpiredTokenException": {400, stale}, "IDPCommunicationError": {400, stale},
		"AccessDeniedd": {403, stale}, "accessdenied": {403, stale}, "NotAccessDenied": {403, stale},
	}
	for code, test := range tests {
		for _, service := range []fakeaws.Service{fakeaws.STS, fakeaws.ECR} {
			t.Run(string(service)+" "+code, func(t *testing.T) {
				t.Parallel()
				n := newNode(t, assume)
				n.grow()
				n.aws.Break(service, fakeaws.Fault{Kind: fakeaws.Error, Status: test.status, Code: code, Message: "an attack"})
				n.want(n.pull(image), test.want)
				n.want(n.pull(image), test.want) // the answer is remembered
				n.aws.Mend(service)
				n.want(n.pull(image), test.want)
			})
		}
	}
}

// TestUselessAnswers: for a useless answer, the error names the cause and does not
// quote the answer. The plugin keeps a token that is still valid.
func TestUselessAnswers(t *testing.T) {
	t.Parallel()
	encode := func(login string) string {
		return `{"authorizationData":[{"authorizationToken":"` + base64.StdEncoding.EncodeToString([]byte(login)) + `","expiresAt":4000000000}]}`
	}
	for name, test := range map[string]struct {
		service fakeaws.Service
		body    string
		says    string
	}{
		"null":                    {fakeaws.ECR, "null", "an answer that can't be read"},
		"null data":               {fakeaws.ECR, `{"authorizationData":null}`, "the answer has no token"},
		"null datum":              {fakeaws.ECR, `{"authorizationData":[null]}`, "the answer has no token"},
		"null token":              {fakeaws.ECR, `{"authorizationData":[{"authorizationToken":null,"expiresAt":4000000000}]}`, "the answer has no token"},
		"number for a token":      {fakeaws.ECR, `{"authorizationData":[{"authorizationToken":1}]}`, "answer"},
		"list":                    {fakeaws.ECR, `[]`, "answer"},
		"string":                  {fakeaws.ECR, `"LEAKED"`, "answer"},
		"token is not UTF-8":      {fakeaws.ECR, encode("AWS:LEAKED\xff\xfe"), "UTF-8"},
		"user is not UTF-8":       {fakeaws.ECR, encode("A\xff:LEAKED"), "UTF-8"},
		"no user":                 {fakeaws.ECR, encode("LEAKED"), "USER:PASSWORD"},
		"no password":             {fakeaws.ECR, encode("LEAKED:"), "the answer"},
		"token of 2 MB":           {fakeaws.ECR, encode("AWS:" + strings.Repeat("LEAKED", 300_000)), "larger than"},
		"expired in 1970":         {fakeaws.ECR, strings.Replace(encode("AWS:LEAKED"), "4000000000", "0", 1), "expired"},
		"expires before year 0":   {fakeaws.ECR, strings.Replace(encode("AWS:LEAKED"), "4000000000", "-99999999999999", 1), ""},
		"expires never":           {fakeaws.ECR, strings.Replace(encode("AWS:LEAKED"), "4000000000", `"never"`, 1), "answer"},
		"deep":                    {fakeaws.ECR, strings.Repeat(`{"a":`, 100_000), "answer"},
		"two values":              {fakeaws.ECR, `{"authorizationData":[]}LEAKED`, ""},
		"XML of another service":  {fakeaws.STS, "<LEAKED/>", ""},
		"XML entities":            {fakeaws.STS, `<!DOCTYPE x [<!ENTITY a "LEAKED">]><AssumeRoleResponse><AssumeRoleResult>&a;</AssumeRoleResult></AssumeRoleResponse>`, ""},
		"XML of a file":           {fakeaws.STS, `<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]><AssumeRoleResponse>&a;</AssumeRoleResponse>`, ""},
		"deep XML":                {fakeaws.STS, strings.Repeat("<a>", 300_000), ""},
		"empty keys":              {fakeaws.STS, "<AssumeRoleResponse><AssumeRoleResult><Credentials><AccessKeyId></AccessKeyId></Credentials></AssumeRoleResult></AssumeRoleResponse>", ""},
		"login page":              {fakeaws.STS, "<html><input name=password value=LEAKED></html>", ""},
		"login page of a gateway": {fakeaws.ECR, "<html><input name=password value=LEAKED></html>", "answer"},
		"garbage":                 {fakeaws.IMDS, "LEAKED\x00\x1b", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			n := newNode(t, assume)
			n.aws.Break(test.service, fakeaws.Fault{Kind: fakeaws.Answer, Body: test.body})
			n.want(n.pull(image), outcome{class: failed, says: test.says})
			m := newNode(t, assume)
			m.grow()
			m.aws.Break(test.service, fakeaws.Fault{Kind: fakeaws.Answer, Body: test.body})
			m.want(m.pull(image), outcome{keep: 5 * time.Minute, says: "using the token"})
		})
	}
}

// TestHeaders: odd headers do not disturb a call. A header of 2 MB or a false
// Content-Encoding makes the call fail.
func TestHeaders(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		header, value string
		want          outcome
	}{
		"2 MB of a header":     {"X-Evil", strings.Repeat("LEAKED", 350_000), outcome{class: failed, says: "header"}},
		"long request ID":      {"X-Amzn-Requestid", "\xffEVIL" + strings.Repeat("x", 5000), outcome{}},
		"false encoding":       {"Content-Encoding", "gzip", outcome{class: failed}},
		"cookie":               {"Set-Cookie", "a=LEAKED; Domain=amazonaws.com", outcome{}},
		"retry after 10 years": {"Retry-After", "315360000", outcome{}},
		"no date":              {"Date", "LEAKED", outcome{}},
		"TLS for ever":         {"Strict-Transport-Security", "max-age=99999999999", outcome{}},
		"alternative service":  {"Alt-Svc", `h2="evil.example:443"`, outcome{}},
	} {
		for _, service := range []fakeaws.Service{fakeaws.STS, fakeaws.ECR} {
			t.Run(string(service)+" "+name, func(t *testing.T) {
				t.Parallel()
				n := newNode(t, assume)
				n.change(service, func(h http.Header, body []byte) []byte {
					h.Set(test.header, test.value)
					return body
				})
				n.want(n.pull(image), test.want)
			})
		}
	}
}

// TestDates: a wrong Date header does not prolong a token's life. It does not fail a
// pull either, if the node's clock is right.
func TestDates(t *testing.T) {
	t.Parallel()
	const year = 365 * 24 * time.Hour
	for name, offset := range map[string]time.Duration{
		"5 hours slow": -5 * time.Hour, "5 hours fast": 5 * time.Hour, "30 years back": -30 * year, "30 years ahead": 30 * year,
		"an hour slow": -time.Hour, "an hour fast": time.Hour, "a day fast": 24 * time.Hour, "200 years back": -200 * year,
	} {
		for _, cache := range []string{"", "cache: {directory: \"\"}\n"} {
			for image, most := range map[string]outcome{image: {keep: time.Hour}, ownImage: {role: nodeRole, keep: 6 * time.Hour}} {
				t.Run(name+" "+cache+image, func(t *testing.T) {
					t.Parallel()
					n := newNode(t, assume+cache)
					for _, service := range []fakeaws.Service{fakeaws.STS, fakeaws.ECR, fakeaws.IMDS} {
						n.change(service, func(h http.Header, body []byte) []byte {
							h.Set("Date", time.Now().Add(offset).UTC().Format(http.TimeFormat))
							return body
						})
					}
					n.want(n.pull(image), most)
					n.want(n.pull(image), most)
				})
			}
		}
	}
}

// TestDatesOfShortTokens: a token that is valid for 20 minutes is fresh for at most 10,
// with any Date header.
func TestDatesOfShortTokens(t *testing.T) {
	t.Parallel()
	for _, offset := range []time.Duration{-30 * 365 * 24 * time.Hour, -5 * time.Hour, 0, 5 * time.Hour} {
		for image, role := range map[string]string{image: pullRole, ownImage: nodeRole} {
			t.Run(offset.String()+" "+role, func(t *testing.T) {
				t.Parallel()
				n := newNode(t, assume)
				n.change(fakeaws.ECR, func(h http.Header, body []byte) []byte {
					h.Set("Date", time.Now().Add(offset).UTC().Format(http.TimeFormat))
					return tokenEnd.ReplaceAll(body, []byte(`"expiresAt":`+strconv.FormatInt(time.Now().Add(20*time.Minute).Unix(), 10)))
				})
				n.want(n.pull(image), outcome{role: role, keep: 10 * time.Minute})
			})
		}
	}
}

var (
	sessionEnd = regexp.MustCompile(`<Expiration>[^<]*<`)
	tokenEnd   = regexp.MustCompile(`"expiresAt":[0-9.]+`)
)

// TestExpiries: an impossible expiry can only shorten a token's life.
func TestExpiries(t *testing.T) {
	t.Parallel()
	now := time.Now()
	for name, test := range map[string]struct {
		session, token time.Time
		image          string
		want           outcome
	}{
		"session of 100 years":           {session: now.AddDate(100, 0, 0), want: outcome{keep: time.Hour}},
		"session over in 1970":           {session: time.Unix(0, 0), want: outcome{class: failed, says: "credentials that are still valid"}},
		"session over an hour ago":       {session: now.Add(-time.Hour), want: outcome{class: failed, says: "credentials that are still valid"}},
		"token of 100 years":             {token: now.AddDate(100, 0, 0), want: outcome{keep: time.Hour}},
		"token of the node, 100 years":   {token: now.AddDate(100, 0, 0), image: ownImage, want: outcome{role: nodeRole, keep: 6 * time.Hour}},
		"token of the node, 13 hours":    {token: now.Add(13 * time.Hour), image: ownImage, want: outcome{role: nodeRole, keep: 6 * time.Hour}},
		"token over an hour ago":         {token: now.Add(-time.Hour), want: outcome{class: failed, says: "expired"}},
		"token of 10 minutes":            {token: now.Add(10 * time.Minute), want: outcome{keep: 5 * time.Minute}},
		"session and token of 200 years": {session: now.AddDate(200, 0, 0), token: now.AddDate(200, 0, 0), want: outcome{keep: time.Hour}},
		"token past the SDK's range":     {token: now.AddDate(1000, 0, 0), want: outcome{class: failed, says: "expired"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			n := newNode(t, assume)
			n.change(fakeaws.STS, func(_ http.Header, body []byte) []byte {
				if test.session.IsZero() {
					return body
				}
				return sessionEnd.ReplaceAll(body, []byte("<Expiration>"+test.session.UTC().Format(time.RFC3339)+"<"))
			})
			n.change(fakeaws.ECR, func(_ http.Header, body []byte) []byte {
				if test.token.IsZero() {
					return body
				}
				return tokenEnd.ReplaceAll(body, []byte(`"expiresAt":`+strconv.FormatInt(test.token.Unix(), 10)))
			})
			if test.image == "" {
				test.image = image
			}
			n.want(n.pull(test.image), test.want)
		})
	}
}
