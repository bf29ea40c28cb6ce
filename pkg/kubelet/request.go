// Package kubelet speaks the kubelet's exec protocol for image credential providers
// (KEP-2133): a CredentialProviderRequest on stdin, and a
// CredentialProviderResponse on stdout.
package kubelet

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	v1 "k8s.io/kubelet/pkg/apis/credentialprovider/v1"

	"ecr-cross-account-credential-provider/pkg/printable"
	"ecr-cross-account-credential-provider/pkg/secret"
)

const (
	group       = "credentialprovider.kubelet.k8s.io"
	requestKind = "CredentialProviderRequest"
	maxRequest  = 1 << 20
)

// versions are the supported versions of the API. Responses are the same in all of
// them.
var versions = []string{group + "/v1", group + "/v1beta1", group + "/v1alpha1"}

// Request is the kubelet's request for an image's credentials. ReadRequest returns
// one.
type Request struct {
	apiVersion     string
	image          string
	serviceAccount ServiceAccount
}

// ServiceAccount is what the kubelet says about the pod's service account, if the
// provider has tokenAttributes (KEP-4412). The zero value means that it says
// nothing.
type ServiceAccount struct {
	// Annotations are the annotations that tokenAttributes lists.
	Annotations map[string]string
	// Token is a token of the service account, or zero if there is none.
	Token secret.Text
}

// Image returns the image's name as the kubelet normalizes it, without tag and digest.
// It is never empty.
func (r Request) Image() string { return r.image }

// ServiceAccount returns what the kubelet says about the pod's service account.
func (r Request) ServiceAccount() ServiceAccount { return r.serviceAccount }

// ReadRequest reads one request of at most 1 MiB, to the end of the stream. It ignores
// unknown fields, so that newer kubelets work. Errors quote only the request's kind and
// version, because the request may hold a service account's token.
func ReadRequest(stream io.Reader) (Request, error) {
	data, err := io.ReadAll(io.LimitReader(stream, maxRequest+1))
	if err != nil {
		return Request{}, fmt.Errorf("reading the request from stdin: %w", err)
	}
	if len(data) > maxRequest {
		return Request{}, fmt.Errorf("the request on stdin is larger than %d bytes", maxRequest)
	}
	return parseRequest(data)
}

func parseRequest(data []byte) (Request, error) {
	var wire v1.CredentialProviderRequest
	if err := json.Unmarshal(data, &wire); err != nil {
		return Request{}, describe(data, err)
	}
	if wire.Kind != requestKind {
		return Request{}, fmt.Errorf("the request on stdin is of kind %q; want %s", printable.Short(wire.Kind), requestKind)
	}
	if !isServed(wire.APIVersion) {
		return Request{}, fmt.Errorf("the request on stdin is of apiVersion %q; want %s/v1, v1beta1 or v1alpha1; set apiVersion in the kubelet's CredentialProviderConfig",
			printable.Short(wire.APIVersion), group)
	}
	if wire.Image == "" {
		return Request{}, errors.New("the request on stdin names no image")
	}
	request := Request{apiVersion: wire.APIVersion, image: wire.Image}
	if wire.APIVersion == versions[0] { // the others have no service accounts
		request.serviceAccount = ServiceAccount{wire.ServiceAccountAnnotations, secret.New(wire.ServiceAccountToken)}
	}
	return request, nil
}

func isServed(apiVersion string) bool {
	for _, v := range versions {
		if v == apiVersion {
			return true
		}
	}
	return false
}

// describe says why a request cannot be decoded, without quoting it.
func describe(data []byte, err error) error {
	if strings.TrimSpace(string(data)) == "" {
		return errors.New("there is no request on stdin; the kubelet writes one, and people can use: explain IMAGE")
	}
	var syntax *json.SyntaxError
	if errors.As(err, &syntax) {
		return fmt.Errorf("the request on stdin is not one JSON value: it is incomplete or wrong at byte %d", syntax.Offset)
	}
	var wrong *json.UnmarshalTypeError
	if errors.As(err, &wrong) && wrong.Field != "" {
		field := strings.TrimPrefix(wrong.Field, "TypeMeta.") // Go's name of an embedded struct
		return fmt.Errorf("the request on stdin has a field %s of the wrong type", printable.Short(field))
	}
	return errors.New("the request on stdin is not a JSON object")
}
