package kubelet_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	v1 "k8s.io/kubelet/pkg/apis/credentialprovider/v1"

	"ecr-cross-account-credential-provider/pkg/kubelet"
	secrets "ecr-cross-account-credential-provider/pkg/secret"
)

const server = "444455556666.dkr.ecr.eu-west-1.amazonaws.com"

func TestEncode(t *testing.T) {
	t.Parallel()
	const head = `{"kind":"CredentialProviderResponse","apiVersion":"credentialprovider.kubelet.k8s.io/v1",`
	tests := []struct {
		name   string
		answer kubelet.Response
		want   string // after head
	}{
		{
			"credentials for a registry",
			kubelet.Response{Scope: kubelet.ForRegistry, CacheDuration: 6 * time.Hour, AuthKey: server, Username: "AWS", Password: secrets.New("pass")},
			`"cacheKeyType":"Registry","cacheDuration":"6h0m0s","auth":{"` + server + `":{"username":"AWS","password":"pass"}}}`,
		},
		{
			"credentials for a repository",
			kubelet.Response{Scope: kubelet.ForImage, CacheDuration: 90 * time.Second, AuthKey: server + ":443/team-a/app", Username: "AWS", Password: secrets.New("pass")},
			`"cacheKeyType":"Image","cacheDuration":"1m30s","auth":{"` + server + `:443/team-a/app":{"username":"AWS","password":"pass"}}}`,
		},
		{
			"not to be kept",
			kubelet.Response{Scope: kubelet.ForRegistry, AuthKey: server, Username: "AWS", Password: secrets.New("pass")},
			`"cacheKeyType":"Registry","cacheDuration":"0s","auth":{"` + server + `":{"username":"AWS","password":"pass"}}}`,
		},
		{
			"a token that is over",
			kubelet.Response{Scope: kubelet.ForRegistry, CacheDuration: -time.Minute, AuthKey: server, Username: "AWS", Password: secrets.New("pass")},
			`"cacheKeyType":"Registry","cacheDuration":"0s","auth":{"` + server + `":{"username":"AWS","password":"pass"}}}`,
		},
		{
			"letters that JSON escapes",
			kubelet.Response{Scope: kubelet.ForRegistry, AuthKey: server, Username: "AWS", Password: secrets.New("a\"b\\c\n<&>")},
			`"cacheKeyType":"Registry","cacheDuration":"0s","auth":{"` + server + `":{"username":"AWS","password":"a\"b\\c\n\u003c\u0026\u003e"}}}`,
		},
		{"none for a registry", kubelet.Empty(kubelet.ForRegistry, time.Hour), `"cacheKeyType":"Registry","cacheDuration":"1h0m0s"}`},
		{"none for an image", kubelet.Empty(kubelet.ForImage, 5*time.Minute), `"cacheKeyType":"Image","cacheDuration":"5m0s"}`},
		{"none, not to be kept", kubelet.Empty(kubelet.ForRegistry, -1), `"cacheKeyType":"Registry","cacheDuration":"0s"}`},
		{
			"without key there are no credentials",
			kubelet.Response{Scope: kubelet.ForRegistry, Username: "AWS", Password: secrets.New("pass")},
			`"cacheKeyType":"Registry","cacheDuration":"0s"}`,
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			encoded := encode(t, test.answer)
			if got, want := string(encoded), head+test.want+"\n"; got != want {
				t.Errorf("got %s\nwant %s", got, want)
			}
			checkDecoded(t, encoded, test.answer)
		})
	}
}

func checkDecoded(t *testing.T, encoded []byte, answer kubelet.Response) {
	t.Helper()
	response := decode(t, encoded)
	if response.CacheKeyType != answer.Scope {
		t.Errorf("cacheKeyType is %q, want %q", response.CacheKeyType, answer.Scope)
	}
	if answer.AuthKey == "" {
		if len(response.Auth) > 0 {
			t.Errorf("got the credentials %v, want none", response.Auth)
		}
		return
	}
	want := v1.AuthConfig{Username: answer.Username, Password: answer.Password.Reveal()}
	if len(response.Auth) != 1 || response.Auth[answer.AuthKey] != want {
		t.Errorf("auth is %v, want %v for %s", response.Auth, want, answer.AuthKey)
	}
}

// TestResponseHidesThePassword prints a response in every way that a log or an
// error may use.
func TestResponseHidesThePassword(t *testing.T) {
	t.Parallel()
	answer := kubelet.Response{Scope: kubelet.ForRegistry, CacheDuration: time.Hour, AuthKey: server, Username: "AWS", Password: secrets.New(secret)}
	values := map[string]any{
		"value": answer, "pointer": &answer, "slice": []kubelet.Response{answer},
		"map": map[string]kubelet.Response{"x": answer}, "field": struct{ A kubelet.Response }{answer}, "interface": []any{answer},
	}
	for name, value := range values {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%t", "%10v", "%-5s", "% x"} {
				text := fmt.Sprintf(verb, value)
				if strings.Contains(text, secret) || strings.Contains(strings.ToLower(text), fmt.Sprintf("%x", secret)) {
					t.Errorf("%s prints the password: %s", verb, text)
				}
			}
			if text := fmt.Sprint(value); strings.Contains(text, secret) || !strings.Contains(text, server) {
				t.Errorf("Sprint prints %s, want the server without the password", text)
			}
			if err := fmt.Errorf("no good: %v", value); strings.Contains(err.Error(), secret) {
				t.Errorf("an error contains the password: %v", err)
			}
		})
	}
}

// TestScopes: the scopes are spelled as in the API. The kubelet drops a response with
// an unknown scope.
func TestScopes(t *testing.T) {
	t.Parallel()
	if kubelet.ForImage != "Image" || kubelet.ForRegistry != "Registry" {
		t.Errorf("got %q and %q, want Image and Registry", kubelet.ForImage, kubelet.ForRegistry)
	}
}

func encode(t *testing.T, answer kubelet.Response) []byte {
	t.Helper()
	r, err := kubelet.ReadRequest(strings.NewReader(request("x")))
	if err != nil {
		t.Fatal(err)
	}
	encoded, err := r.Encode(answer)
	if err != nil {
		t.Fatal(err)
	}
	return encoded
}

// decode is as strict as the kubelet from 1.32 on. It allows no other field and no
// second value, and checks the required fields.
func decode(t *testing.T, encoded []byte) v1.CredentialProviderResponse {
	t.Helper()
	var response v1.CredentialProviderResponse
	decoder := json.NewDecoder(bytes.NewReader(encoded))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&response); err != nil {
		t.Fatal(err)
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		t.Errorf("got %v after the response, want its end", err)
	}
	if response.Kind != "CredentialProviderResponse" {
		t.Errorf("kind is %q, want CredentialProviderResponse", response.Kind)
	}
	if response.CacheDuration == nil || response.CacheDuration.Duration < 0 {
		t.Errorf("cacheDuration is %v, want 0 or more", response.CacheDuration)
	}
	return response
}
