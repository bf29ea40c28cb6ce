package kubelet_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"reflect"
	"strings"
	"testing"
	"testing/iotest"

	v1 "k8s.io/kubelet/pkg/apis/credentialprovider/v1"

	"ecr-cross-account-credential-provider/pkg/kubelet"
	secrets "ecr-cross-account-credential-provider/pkg/secret"
)

// secret stands for a service account's token, and is part of most bad requests. No
// error may contain it.
const secret = "hunter2-eyJhbGciOiJSUzI1NiJ9"

const image = "444455556666.dkr.ecr.eu-west-1.amazonaws.com/app"

func TestReadRequest(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, in, version string }{
		{"as the kubelet writes it", `{"kind":"CredentialProviderRequest","apiVersion":"%s/v1","image":"` + image + `"}` + "\n", "v1"},
		{"v1beta1", `{"kind":"CredentialProviderRequest","apiVersion":"%s/v1beta1","image":"` + image + `"}`, "v1beta1"},
		{"v1alpha1", `{"kind":"CredentialProviderRequest","apiVersion":"%s/v1alpha1","image":"` + image + `"}`, "v1alpha1"},
		{"service account", `{"kind":"CredentialProviderRequest","apiVersion":"%s/v1","image":"` + image + `","serviceAccountToken":"` + secret + `","serviceAccountAnnotations":{"a":"b"}}`, "v1"},
		{"service account without annotations", `{"kind":"CredentialProviderRequest","apiVersion":"%s/v1","image":"` + image + `","serviceAccountAnnotations":null}`, "v1"},
		{"fields of a newer kubelet", `{"kind":"CredentialProviderRequest","apiVersion":"%s/v1","image":"` + image + `","podName":"x","nested":{"a":[1,2,{}]},"n":1e999}`, "v1"},
		{"other order", `{"image":"` + image + `","apiVersion":"%s/v1","kind":"CredentialProviderRequest"}`, "v1"},
		{"white space", " \r\n\t{ \"kind\" : \"CredentialProviderRequest\",\n\"apiVersion\":\"%s/v1\",\"image\":\"" + image + "\" } \n\n", "v1"},
		{"escapes", `{"kind":"CredentialProviderRequest","apiVersion":"%s/v1","image":"444455556666.dkr.ecr.eu-west-1.amazonaws.com\/a\u0070p"}`, "v1"},
		{"duplicate image", `{"kind":"CredentialProviderRequest","apiVersion":"%s/v1","image":"x","image":"` + image + `"}`, "v1"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			in := strings.Replace(test.in, "%s", "credentialprovider.kubelet.k8s.io", 1)
			request, err := kubelet.ReadRequest(iotest.OneByteReader(strings.NewReader(in)))
			if err != nil {
				t.Fatal(err)
			}
			if request.Image() != image {
				t.Errorf("Image() = %q, want %q", request.Image(), image)
			}
			encoded, err := request.Encode(kubelet.Empty(kubelet.ForImage, 0))
			if err != nil {
				t.Fatal(err)
			}
			if got, want := decode(t, encoded).APIVersion, "credentialprovider.kubelet.k8s.io/"+test.version; got != want {
				t.Errorf("got a response with apiVersion %q, want %q", got, want)
			}
		})
	}
}

func TestReadRequestBad(t *testing.T) {
	t.Parallel()
	const (
		nothing  = "there is no request on stdin; the kubelet writes one, and people can use: explain IMAGE"
		versions = "; want credentialprovider.kubelet.k8s.io/v1, v1beta1 or v1alpha1; set apiVersion in the kubelet's CredentialProviderConfig"
		noKind   = `the request on stdin is of kind ""; want CredentialProviderRequest`
		noObject = "the request on stdin is not a JSON object"
	)
	broken := func(at int) string {
		return fmt.Sprintf("the request on stdin is not one JSON value: it is incomplete or wrong at byte %d", at)
	}
	wrong := func(field string) string { return "the request on stdin has a field " + field + " of the wrong type" }
	kind := func(k string) string {
		return `the request on stdin is of kind "` + k + `"; want CredentialProviderRequest`
	}
	good := request(secret)
	tests := []struct{ name, in, want string }{
		{"nothing", "", nothing},
		{"white space", " \r\n\t", nothing},

		{"other kind", request(secret, "kind", "CredentialProviderResponse"), kind("CredentialProviderResponse")},
		{"kind in another case", request(secret, "kind", "credentialproviderrequest"), kind("credentialproviderrequest")},
		{"no kind", `{"apiVersion":"credentialprovider.kubelet.k8s.io/v1","image":"x","serviceAccountToken":"` + secret + `"}`, noKind},
		{"endless kind", request(secret, "kind", strings.Repeat("x", 1000)), kind(strings.Repeat("x", 64) + "…")},
		{"kind of two lines", request(secret, "kind", "a\nb"), kind(`a\nb`)},
		{"other version", request(secret, "apiVersion", "credentialprovider.kubelet.k8s.io/v2"), `the request on stdin is of apiVersion "credentialprovider.kubelet.k8s.io/v2"` + versions},
		{"other group", request(secret, "apiVersion", "kubelet.config.k8s.io/v1"), `the request on stdin is of apiVersion "kubelet.config.k8s.io/v1"` + versions},
		{"version without group", request(secret, "apiVersion", "v1"), `the request on stdin is of apiVersion "v1"` + versions},
		{"no version", request(secret, "apiVersion", ""), `the request on stdin is of apiVersion ""` + versions},
		{"space after the version", request(secret, "apiVersion", "credentialprovider.kubelet.k8s.io/v1 "), `the request on stdin is of apiVersion "credentialprovider.kubelet.k8s.io/v1 "` + versions},
		{"empty image", request(secret, "image", ""), "the request on stdin names no image"},
		{"no image", `{"kind":"CredentialProviderRequest","apiVersion":"credentialprovider.kubelet.k8s.io/v1","serviceAccountToken":"` + secret + `"}`, "the request on stdin names no image"},

		{"garbage", secret, broken(1)},
		{"YAML", "kind: CredentialProviderRequest\ntoken: " + secret, broken(1)},
		{"byte order mark", "\ufeff" + good, broken(1)},
		{"UTF-16", "\xff\xfe{\x00}\x00" + secret, broken(1)},
		{"breaks off", good[:len(good)-1], broken(len(good) - 1)},
		{"breaks off in the token", good[:len(good)-len(secret)/2], broken(len(good) - len(secret)/2)},
		{"two values", good + good, broken(len(good) + 1)},
		{"two values in lines", good + "\n" + good, broken(len(good) + 2)},
		{"garbage after", good + secret, broken(len(good) + 1)},
		{"NUL after", good + "\x00", broken(len(good) + 1)},
		{"brace after", good + "}", broken(len(good) + 1)},
		{"comment", "// " + secret + "\n" + good, broken(1)},
		{"token without quotes", strings.Replace(good, `"`+secret+`"`, secret, 1), broken(strings.Index(good, secret))},
		{"control character in the token", strings.Replace(good, secret, secret+"\x01", 1), broken(strings.Index(good, secret) + len(secret) + 1)},

		{"null", "null", noKind},
		{"empty object", "{}", noKind},
		{"array", "[" + good + "]", noObject},
		{"empty array", "[]", noObject},
		{"string", `"` + secret + `"`, noObject},
		{"number", "5", noObject},
		{"true", "true", noObject},
		{"kind as number", strings.Replace(good, `"CredentialProviderRequest"`, "1", 1), wrong("kind")},
		{"version as object", strings.Replace(good, `"credentialprovider.kubelet.k8s.io/v1"`, "{}", 1), wrong("apiVersion")},
		{"image as array", strings.Replace(good, `"`+image+`"`, `["`+image+`"]`, 1), wrong("image")},
		{"image as number", strings.Replace(good, `"`+image+`"`, "5", 1), wrong("image")},
		{"token as object", strings.Replace(good, `"`+secret+`"`, `{"token":"`+secret+`"}`, 1), wrong("serviceAccountToken")},
		{"token as array", strings.Replace(good, `"`+secret+`"`, `["`+secret+`"]`, 1), wrong("serviceAccountToken")},
		{"token as number", strings.Replace(good, `"`+secret+`"`, `12345`, 1), wrong("serviceAccountToken")},
		{"annotations as string", strings.Replace(good, `{"role":"x"}`, `"`+secret+`"`, 1), wrong("serviceAccountAnnotations")},
		{"annotation as number", strings.Replace(good, `{"role":"x"}`, `{"`+secret+`":5}`, 1), wrong("serviceAccountAnnotations")},

		{"a byte too many", good + strings.Repeat(" ", 1<<20+1-len(good)), "the request on stdin is larger than 1048576 bytes"},
		{"endless image", request(secret, "image", strings.Repeat("x", 1<<21)), "the request on stdin is larger than 1048576 bytes"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			got, err := kubelet.ReadRequest(strings.NewReader(test.in))
			if err == nil {
				t.Fatalf("got a request for image %q, want an error", got.Image())
			}
			if err.Error() != test.want {
				t.Errorf("got %s\nwant %s", err, test.want)
			}
			if leaks(err) {
				t.Errorf("the error contains the token: %v", err)
			}
			if !reflect.DeepEqual(got, kubelet.Request{}) {
				t.Errorf("got an error and the request %+v, want only the error", got)
			}
		})
	}
}

func TestReadRequestOfMaximumSize(t *testing.T) {
	t.Parallel()
	good := request("x")
	got, err := kubelet.ReadRequest(strings.NewReader(good + strings.Repeat(" ", 1<<20-len(good))))
	if err != nil || got.Image() != image {
		t.Errorf("got %q, %v, want %q", got.Image(), err, image)
	}
}

// TestReadRequestReadsNoMore: ReadRequest returns an error for a stream without end.
func TestReadRequestReadsNoMore(t *testing.T) {
	t.Parallel()
	if _, err := kubelet.ReadRequest(endless{}); err == nil {
		t.Error("got no error for an endless stream, want one")
	}
}

type endless struct{}

func (endless) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = ' '
	}
	return len(p), nil
}

func TestReadRequestBrokenStream(t *testing.T) {
	t.Parallel()
	cause := errors.New("the pipe broke")
	_, err := kubelet.ReadRequest(io.MultiReader(strings.NewReader(request(secret)), iotest.ErrReader(cause)))
	if !errors.Is(err, cause) || err.Error() != "reading the request from stdin: the pipe broke" {
		t.Errorf("got %v, want the reader's error", err)
	}
}

// FuzzReadRequest: the response to an accepted request has the request's version.
// An error is one short line.
func FuzzReadRequest(f *testing.F) {
	f.Add([]byte(request(secret)))
	f.Add([]byte(request("") + request("")))
	f.Add([]byte(`{"kind":"CredentialProviderRequest","apiVersion":"credentialprovider.kubelet.k8s.io/v1beta1","image":"x"}` + "\n"))
	f.Add([]byte("\ufeff{}"))
	f.Add([]byte("[]"))
	f.Fuzz(func(t *testing.T, data []byte) {
		got, err := kubelet.ReadRequest(strings.NewReader(string(data)))
		if err != nil {
			if strings.ContainsAny(err.Error(), "\r\n\x00") || len(err.Error()) > 500 {
				t.Errorf("got %q, want one short line", err)
			}
			if !reflect.DeepEqual(got, kubelet.Request{}) {
				t.Errorf("got an error and the request %+v, want only the error", got)
			}
			return
		}
		if got.Image() == "" {
			t.Error("got a request without an image, want an error")
		}
		var wire v1.CredentialProviderRequest
		if err := json.Unmarshal(data, &wire); err != nil {
			t.Fatalf("ReadRequest accepts text that is not JSON: %v", err)
		}
		encoded, err := got.Encode(kubelet.Response{Scope: kubelet.ForImage, AuthKey: got.Image(), Username: "AWS", Password: secrets.New(secret)})
		if err != nil {
			t.Fatal(err)
		}
		response := decode(t, encoded)
		if response.APIVersion != wire.APIVersion || response.Auth[wire.Image].Password != secret {
			t.Errorf("a request with apiVersion %q for %q gets the response %s", wire.APIVersion, wire.Image, encoded)
		}
	})
}

// request returns a good request with some fields changed (name, value).
func request(token string, other ...string) string {
	fields := map[string]string{
		"kind": "CredentialProviderRequest", "apiVersion": "credentialprovider.kubelet.k8s.io/v1", "image": image,
	}
	for i := 0; i < len(other); i += 2 {
		fields[other[i]] = other[i+1]
	}
	quote := func(s string) string {
		quoted, err := json.Marshal(s)
		if err != nil {
			panic(err)
		}
		return string(quoted)
	}
	return `{"kind":` + quote(fields["kind"]) + `,"apiVersion":` + quote(fields["apiVersion"]) + `,"image":` + quote(fields["image"]) +
		`,"serviceAccountAnnotations":{"role":"x"},"serviceAccountToken":` + quote(token) + `}`
}

// leaks reports whether an error, or an error that it wraps, contains a part of the
// token.
func leaks(err error) bool {
	return strings.Contains(fmt.Sprintf("%v %+v %#v", err, err, err), secret[:7])
}
