package awsapi

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// TestSecrets: no message shows a secret from any source, or a part of it.
func TestSecrets(t *testing.T) {
	t.Parallel()
	const marker = "MARKERmarkerMARKERmarker"
	config := write(t, "config", "[default]\naws_access_key_id = AKIAEXAMPLE\naws_secret_access_key = "+marker+"\n"+
		"[profile role]\nrole_arn = arn:aws:iam::111122223333:role/node\nsource_profile = default\n")
	token := write(t, "token", marker)
	keys := []string{"AWS_ACCESS_KEY_ID=AKIAEXAMPLE", "AWS_REGION=eu-west-1"}
	web := []string{"AWS_ROLE_ARN=arn:aws:iam::111122223333:role/node", "AWS_REGION=eu-west-1"}
	for name, env := range map[string][]string{
		"secret key":            append([]string{"AWS_SECRET_ACCESS_KEY=" + marker}, keys...),
		"session token":         append([]string{"AWS_SECRET_ACCESS_KEY=x", "AWS_SESSION_TOKEN=" + marker}, keys...),
		"profile":               append([]string{"AWS_CONFIG_FILE=" + config}, keys[1:]...),
		"source profile":        append([]string{"AWS_CONFIG_FILE=" + config, "AWS_PROFILE=role"}, keys[1:]...),
		"web identity":          append([]string{"AWS_WEB_IDENTITY_TOKEN_FILE=" + token}, web...),
		"container's token":     {"AWS_CONTAINER_CREDENTIALS_FULL_URI=URL/", "AWS_CONTAINER_AUTHORIZATION_TOKEN=" + marker},
		"container's file":      {"AWS_CONTAINER_CREDENTIALS_FULL_URI=URL/", "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE=" + token},
		"proxy's password":      append([]string{"AWS_SECRET_ACCESS_KEY=x", "HTTPS_PROXY=http://user:" + marker + "@proxy.invalid"}, keys...),
		"proxy's, escaped":      append([]string{"AWS_SECRET_ACCESS_KEY=x", "https_proxy=http://user:%4dARKERmarkerMARKERmarker@proxy.invalid"}, keys...),
		"proxy's, no scheme":    append([]string{"AWS_SECRET_ACCESS_KEY=x", "HTTPS_PROXY=user:" + marker + "@proxy.invalid:1"}, keys...),
		"given by the caller":   append([]string{"AWS_SECRET_ACCESS_KEY=x"}, keys...),
		"from the metadata":     {"AWS_EC2_METADATA_SERVICE_ENDPOINT=URL", "AWS_REGION=eu-west-1"},
		"of credential_process": {"AWS_CONFIG_FILE=" + write(t, "config", `[default]`+"\n"+`credential_process = echo '{"Version":1,"AccessKeyId":"ASIAEXAMPLE","SecretAccessKey":"`+marker+`"}'`+"\n"), "AWS_REGION=eu-west-1"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := httptest.NewServer(tellTale{marker})
			t.Cleanup(server.Close)
			for i := range env {
				env[i] = strings.Replace(env[i], "URL", server.URL, 1)
			}
			var args []string
			if name == "given by the caller" {
				args = []string{marker}
			}
			got := inChild(t, "secrets", append(env, "AWS_ENDPOINT_URL="+server.URL, "AWS_ENDPOINT_URL_STS="+server.URL, "PATH=/usr/bin:/bin"), args...)
			if strings.Contains(got, marker[3:15]) || !strings.Contains(got, "[redacted]") || !strings.Contains(got, "AKIAEXAMPLE") {
				t.Errorf("got %s, want [redacted] and AKIAEXAMPLE in it, and no secret", got)
			}
		})
	}
}

// TestSecretsOfProxies: a password is removed in each form: as the address spells
// it, as net/http sends it to the proxy, and unescaped.
func TestSecretsOfProxies(t *testing.T) {
	t.Parallel()
	const password, escaped = "pass:// w@rd/secret", "pass:%2F%2F%20w%40rd%2Fsecret"
	sent := func(userinfo string) string { return base64.StdEncoding.EncodeToString([]byte(userinfo)) }
	tests := []struct{ address, secret string }{
		{"http://user:password12@proxy.example:3128", "password12"},
		{"user:password12@proxy.example:3128", "password12"},
		{"user:password12@proxy.example:3128", sent("user:password12")},
		{"socks5://user:password12@proxy.example", sent("user:password12")},
		{"http://us%65r:" + escaped + "@proxy.example", escaped},
		{"http://us%65r:" + escaped + "@proxy.example", password},
		{"http://us%65r:" + escaped + "@proxy.example", sent("user:" + password)},
		{"us%65r:" + escaped + "@proxy.example", sent("user:" + password)},
		{"us%65r:" + escaped + "@proxy.example", sent("us%65r:" + escaped)},
		{"user:" + password + "@proxy.example", password},
		{"user:100%password@proxy.example", sent("user:100%password")},
		{"http://user-and-token@proxy.example", sent("user-and-token:")},
	}
	for _, test := range tests {
		t.Run(test.address+" "+test.secret, func(t *testing.T) {
			t.Parallel()
			api := &API{options: Options{Environ: []string{"HTTPS_PROXY=" + test.address}}}
			api.keepEnvironment()
			if got := api.clean("Basic " + test.secret + " of proxy.example"); got != "Basic [redacted] of proxy.example" {
				t.Errorf("got %s, want Basic [redacted] of proxy.example", got)
			}
		})
	}
}

// tellTale answers for all services, and puts a secret into each error.
type tellTale struct{ marker string }

func (s tellTale) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	message := "the token " + s.marker[3:20] + " of AKIAEXAMPLE"
	switch path := r.URL.Path; {
	case r.Method == http.MethodPut:
		w.Header().Set("X-Aws-Ec2-Metadata-Token-Ttl-Seconds", "300")
		_, _ = w.Write([]byte("token"))
	case strings.HasSuffix(path, "/security-credentials/"):
		_, _ = w.Write([]byte("role"))
	case strings.HasSuffix(path, "/security-credentials/role"):
		_, _ = fmt.Fprintf(w, `{"Code":"Success","AccessKeyId":"ASIA","SecretAccessKey":%q,"Token":"SESSIONTOKEN","Expiration":"2100-01-01T00:00:00Z"}`, s.marker)
	case r.Method == http.MethodGet: // the container's endpoint
		wire{400, http.Header{"Content-Type": {"application/json"}}, `{"code":"Bad","message":"` + message + `"}`}.ServeHTTP(w, r)
	case r.Header.Get("X-Amz-Target") == "":
		queryError(400, "Bad", message).ServeHTTP(w, r)
	default:
		jsonError(400, "Bad", message).ServeHTTP(w, r)
	}
}
