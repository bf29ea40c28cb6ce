package awsapi

import (
	"encoding/base64"
	"net/url"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"

	"ecr-cross-account-credential-provider/pkg/boundedfile"
	"ecr-cross-account-credential-provider/pkg/secret"
)

// KeepSecret adds a secret that the caller knows, such as a pod's token. The API
// removes it from all text that comes from outside.
func (a *API) KeepSecret(t secret.Text) { a.secrets.Add(t) }

func (a *API) keep(texts ...string) {
	for _, text := range texts {
		a.secrets.Add(secret.New(text))
	}
}

func (a *API) keepCredentials(c aws.Credentials) { a.keep(c.SecretAccessKey, c.SessionToken) }

// keepEnvironment adds the secrets of the environment.
func (a *API) keepEnvironment() {
	for _, v := range a.options.Environ {
		name, value, _ := strings.Cut(v, "=")
		switch name = strings.ToUpper(name); {
		case name == "AWS_SECRET_ACCESS_KEY", name == "AWS_SECRET_KEY", name == "AWS_SESSION_TOKEN", name == "AWS_CONTAINER_AUTHORIZATION_TOKEN":
			a.keep(value)
		case strings.HasSuffix(name, "_PROXY"):
			a.keepProxy(value)
		}
	}
}

// keepProxy adds the password of a proxy's address, and the header value that
// net/http makes from it. It does not use url.Parse: a password in an invalid URL
// is secret too, and net/http adds a missing scheme.
func (a *API) keepProxy(address string) {
	if scheme, rest, ok := strings.Cut(address, "://"); ok && !strings.ContainsAny(scheme, ":@") {
		address = rest
	}
	end := strings.LastIndex(address, "@")
	if end < 0 {
		return
	}
	user, password, _ := strings.Cut(address[:end], ":")
	for _, unescape := range []func(string) string{func(s string) string { return s }, unescaped} {
		user, password := unescape(user), unescape(password)
		a.keep(password, base64.StdEncoding.EncodeToString([]byte(user+":"+password)))
	}
}

// unescaped returns text as net/http reads it from a URL. Text with an invalid
// escape stays unchanged.
func unescaped(text string) string {
	if plain, err := url.PathUnescape(text); err == nil {
		return plain
	}
	return text
}

// keepTokenFiles adds the tokens that the node uses to get its credentials. It
// ignores a file that cannot be read, because the SDK reports it.
func (a *API) keepTokenFiles() {
	var paths []string
	for _, name := range tokenFiles {
		paths = append(paths, Variable(a.options.Environ, name))
	}
	for _, profile := range a.profiles {
		paths = append(paths, profile.WebIdentityTokenFile)
	}
	for _, path := range paths {
		if token, err := boundedfile.Read(path, maxFile); err == nil {
			a.keep(strings.TrimSpace(string(token)))
		}
	}
}
