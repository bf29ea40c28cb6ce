// Package kubelet speaks the kubelet's exec protocol for image credential
// providers (KEP-2133): a CredentialProviderRequest comes in on stdin, a
// CredentialProviderResponse goes out on stdout.
package kubelet

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	v1 "k8s.io/kubelet/pkg/apis/credentialprovider/v1"

	"ecr-cross-account-credential-provider/pkg/printable"
)

const (
	group       = "credentialprovider.kubelet.k8s.io"
	requestKind = "CredentialProviderRequest"
	maxRequest  = 1 << 20
)

// versions are those of the API that are served; answers differ in none.
var versions = []string{group + "/v1", group + "/v1beta1", group + "/v1alpha1"}

// Request is what the kubelet asks: credentials for an image. ReadRequest
// makes it.
type Request struct {
	apiVersion     string
	image          string
	serviceAccount ServiceAccount
}

// ServiceAccount is what a kubelet tells of the pod's service account, where its
// configuration has tokenAttributes (KEP-4412). The zero value is nothing.
type ServiceAccount struct {
	// Annotations are those that the kubelet was told to pass on.
	Annotations map[string]string

	token *string // a pointer, as Format has no say in %p, nor inside of what others don't export
}

// Token is the service account's token, empty if there is none.
func (s ServiceAccount) Token() string {
	if s.token == nil {
		return ""
	}
	return *s.token
}

// Format leaves the token out, whatever the verb.
func (s ServiceAccount) Format(f fmt.State, _ rune) {
	_, _ = fmt.Fprintf(f, "service account with annotations %q", s.Annotations)
}

// Format leaves the service account's token out, whatever the verb.
func (r Request) Format(f fmt.State, _ rune) {
	_, _ = fmt.Fprintf(f, "request of %s for image %q by %v", r.apiVersion, printable.Short(r.image), r.serviceAccount)
}

// Image is the image's name, never empty, as whoever made the pod wrote it; the
// kubelet has taken tag and digest off.
func (r Request) Image() string { return r.image }

// ServiceAccount is the pod's service account.
func (r Request) ServiceAccount() ServiceAccount { return r.serviceAccount }

// ReadRequest reads one request of at most 1 MiB, to the end of the stream.
// Fields that it does not know are passed over, so that a newer kubelet is
// served. Errors quote nothing of the request but its kind and version, as it
// may hold a service account's token.
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
		return Request{}, fmt.Errorf("request is of %q; %s/v1, v1beta1 and v1alpha1 are served; set apiVersion in the kubelet's CredentialProviderConfig",
			printable.Short(wire.APIVersion), group)
	}
	if wire.Image == "" {
		return Request{}, errors.New("the request on stdin names no image")
	}
	request := Request{apiVersion: wire.APIVersion, image: wire.Image}
	if wire.APIVersion == versions[0] { // the others have no service accounts
		request.serviceAccount = ServiceAccount{wire.ServiceAccountAnnotations, &wire.ServiceAccountToken}
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

// describe says what is wrong with a request that is not one, without its text.
func describe(data []byte, err error) error {
	if strings.TrimSpace(string(data)) == "" {
		return errors.New("there is no request on stdin; the kubelet writes one, people can use: explain IMAGE")
	}
	var syntax *json.SyntaxError
	if errors.As(err, &syntax) {
		return fmt.Errorf("the request on stdin is not one JSON value: it breaks off or goes wrong at byte %d", syntax.Offset)
	}
	var wrong *json.UnmarshalTypeError
	if errors.As(err, &wrong) && wrong.Field != "" {
		field := strings.TrimPrefix(wrong.Field, "TypeMeta.") // Go's name of what the wire has no name for
		return fmt.Errorf("the request on stdin has a field %s of the wrong type", printable.Short(field))
	}
	return errors.New("the request on stdin is not a JSON object")
}
