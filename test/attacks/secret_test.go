//go:build linux

package attacks_test

import (
	"encoding/base64"
	"fmt"
	"html"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"ecr-cross-account-credential-provider/test/fakeaws"
)

// quotes are the forms in which an answer may quote a secret.
var quotes = map[string]func(string) string{
	"whole":       func(s string) string { return s },
	"first half":  func(s string) string { return s[:len(s)/2] },
	"second half": func(s string) string { return s[len(s)/2:] },
	"16 in it":    func(s string) string { return "'" + s[len(s)/3:][:16] + "'" },
	"in a URL":    url.QueryEscape,
	"twice":       func(s string) string { return s + " and " + s },
	"in lines":    func(s string) string { return "\n" + s + "\r\n" },
}

// secretsOf returns the secrets in a request of the SDK.
func secretsOf(r *http.Request) []string {
	body, err := io.ReadAll(io.LimitReader(r.Body, 1<<20))
	if err != nil {
		return nil
	}
	form, err := url.ParseQuery(string(body))
	if err != nil {
		form = nil
	}
	var secrets []string
	for _, s := range []string{
		r.Header.Get("X-Amz-Security-Token"), form.Get("WebIdentityToken"), r.Header.Get("X-Aws-Ec2-Metadata-Token"), r.Header.Get("Authorization"),
	} {
		if len(s) >= 32 && !strings.HasPrefix(s, "AWS4-HMAC") { // a signature is valid for this request only
			secrets = append(secrets, s)
		}
	}
	return secrets
}

// TestQuotedSecrets: an error of AWS may quote the request's secrets. They do not
// appear on stderr, in the log, or in the cache.
func TestQuotedSecrets(t *testing.T) {
	t.Parallel()
	for form, quote := range quotes {
		for _, code := range []string{"AccessDenied", "ValidationError", "InvalidIdentityToken", "Evil"} {
			for _, of := range []string{"node", "pod", "role"} {
				t.Run(form+" "+code+" "+of, func(t *testing.T) {
					t.Parallel()
					n, stdin := newNode(t, assume), request(image)
					if of == "pod" {
						n, stdin = newPodNode(t, ""), podRequest(podToken(t, nil), podRole)
					}
					n.quoteBack(map[bool]fakeaws.Service{true: fakeaws.ECR, false: fakeaws.STS}[of == "role"], code, quote)
					got := n.run(stdin)
					if len(n.secrets.all()) == 0 {
						t.Error("no request had a secret, so the test proves nothing")
					}
					n.want(got, outcome{class: failed, says: code})
					n.want(n.run(stdin), outcome{class: failed, says: code})
				})
			}
		}
	}
}

// quoteBack starts a service that answers with an error whose message quotes the
// request's secrets.
func (n *node) quoteBack(service fakeaws.Service, code string, quote func(string) string) {
	n.serve(service, func(w http.ResponseWriter, r *http.Request) {
		message := "your secrets"
		for _, s := range secretsOf(r) {
			message += " " + quote(s)
			n.secrets.add(s[len(s)/3:][:16], s[:16], s[len(s)-16:])
		}
		w.Header().Set("X-Amzn-Requestid", "r")
		w.WriteHeader(http.StatusBadRequest)
		if service == fakeaws.ECR {
			_, _ = fmt.Fprintf(w, `{"__type":%q,"message":%q}`, code, message)
			return
		}
		_, _ = fmt.Fprintf(w, "<ErrorResponse><Error><Code>%s</Code><Message>%s</Message></Error></ErrorResponse>", code, html.EscapeString(message))
	})
}

// TestQuotedCodes: an error code, a request ID, a redirect and an HTML page may also
// quote a secret.
func TestQuotedCodes(t *testing.T) {
	t.Parallel()
	for name, answer := range map[string]func(w http.ResponseWriter, s string){
		"code": func(w http.ResponseWriter, s string) {
			w.WriteHeader(http.StatusForbidden)
			_, _ = fmt.Fprintf(w, "<ErrorResponse><Error><Code>%s</Code><Message>m</Message></Error></ErrorResponse>", s)
		},
		"request ID": func(w http.ResponseWriter, s string) {
			w.Header().Set("X-Amzn-Requestid", s)
			w.WriteHeader(http.StatusForbidden)
			_, _ = fmt.Fprintf(w, "<ErrorResponse><Error><Code>c</Code><Message>m</Message></Error><RequestId>%s</RequestId></ErrorResponse>", s)
		},
		"redirect": func(w http.ResponseWriter, s string) {
			w.Header().Set("Location", "https://"+s+".evil.example/"+s)
			w.WriteHeader(http.StatusTemporaryRedirect)
		},
		"page": func(w http.ResponseWriter, s string) {
			w.WriteHeader(http.StatusBadGateway)
			_, _ = fmt.Fprintf(w, "<html>%s", s)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			n := newNode(t, assume)
			n.serve(fakeaws.STS, func(w http.ResponseWriter, r *http.Request) {
				for _, s := range secretsOf(r) {
					n.secrets.add(s[:32])
					answer(w, s[:48])
				}
			})
			n.want(n.pull(image), outcome{class: failed})
		})
	}
}

// TestReasonPhrases: the reason phrase of a proxy or a service may also quote a secret.
func TestReasonPhrases(t *testing.T) {
	t.Parallel()
	const password = "hunter2-LEAKED-password"
	for name, reason := range map[string]string{
		"password": password, "part of it": password[:14], "escape sequence": "\x1b[31m" + password, "1 MB": strings.Repeat(password, 40_000),
		"its header": base64.StdEncoding.EncodeToString([]byte("user:" + password)),
	} {
		for _, status := range []string{"403", "407", "502"} {
			t.Run(name+" "+status, func(t *testing.T) {
				t.Parallel()
				n := newNode(t, assume)
				n.secrets.add(password[:14], base64.StdEncoding.EncodeToString([]byte("user:" + password))[:16])
				proxy := answerRaw(t, "HTTP/1.1 "+status+" "+reason+"\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
				n.env = append(n.env, "HTTPS_PROXY=http://user:"+password+"@"+proxy, endpoints[fakeaws.STS]+"=https://sts.example.com")
				n.want(n.pull(image), outcome{class: failed})
			})
		}
	}
}

// answerRaw starts a server that answers every connection with the same bytes. It
// returns the server's address.
func answerRaw(t testing.TB, answer string) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close() //nolint:errcheck // the answer has been sent
				buffer := make([]byte, 64<<10)
				if _, err := conn.Read(buffer); err == nil {
					_, _ = io.WriteString(conn, answer)
				}
			}()
		}
	}()
	return listener.Addr().String()
}

// TestSecretsOfSources: the errors of a source of the node's identity do not reveal
// that source's secrets.
func TestSecretsOfSources(t *testing.T) {
	t.Parallel()
	const token = "Bearer-LEAKED-0123456789-0123456789"
	quoting := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(http.StatusForbidden)
		_, _ = fmt.Fprintf(w, `{"code":"%s","message":"%[1]s %s"}`, r.Header.Get("Authorization"), r.URL)
	}))
	t.Cleanup(quoting.Close)
	for name, prepare := range map[string]func(n *node) []string{
		"container, token": func(*node) []string {
			return []string{"AWS_CONTAINER_CREDENTIALS_FULL_URI=" + quoting.URL + "/x", "AWS_CONTAINER_AUTHORIZATION_TOKEN=" + token}
		},
		"container, file": func(n *node) []string {
			return []string{"AWS_CONTAINER_CREDENTIALS_FULL_URI=" + quoting.URL + "/x", "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE=" + n.write("token", token)}
		},
		"web identity": func(n *node) []string {
			return []string{"AWS_ROLE_ARN=" + nodeRole, "AWS_WEB_IDENTITY_TOKEN_FILE=" + n.write("token", token), "AWS_REGION=eu-west-1"}
		},
		"static keys": func(*node) []string {
			return []string{"AWS_ACCESS_KEY_ID=AKIAEXAMPLE", "AWS_SECRET_ACCESS_KEY=" + token, "AWS_SESSION_TOKEN=" + token, "AWS_REGION=eu-west-1"}
		},
		"profile": func(n *node) []string {
			return []string{"AWS_REGION=eu-west-1", "AWS_SHARED_CREDENTIALS_FILE=" +
				n.write("aws", "[default]\naws_access_key_id = AKIAEXAMPLE\naws_secret_access_key = "+token+"\naws_session_token = "+token+"\n")}
		},
		"endpoint's password": func(*node) []string {
			return []string{endpoints[fakeaws.STS] + "=http://user:" + token + "@127.0.0.1:1/"}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			n := newNode(t, assume)
			n.secrets.add(token[4:])
			n.quoteBack(fakeaws.STS, "AccessDenied", func(s string) string { return s })
			n.env = append(n.env, prepare(n)...)
			n.want(n.pull(image), outcome{class: failed})
		})
	}
}
