package kubelet

import (
	"encoding/json"
	"fmt"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	v1 "k8s.io/kubelet/pkg/apis/credentialprovider/v1"

	"ecr-cross-account-credential-provider/pkg/secret"
)

// Scope says what a response is valid for. It is the API's cacheKeyType.
type Scope = v1.PluginCacheKeyType

// These are the scopes of responses.
const (
	ForImage    Scope = v1.ImagePluginCacheKeyType
	ForRegistry Scope = v1.RegistryPluginCacheKeyType
)

// Response is a CredentialProviderResponse. Without an AuthKey it holds no
// credentials. The kubelet caches that too.
type Response struct {
	Scope Scope
	// CacheDuration is how long the kubelet may use the response without a new
	// request. 0 means that it must not.
	CacheDuration time.Duration
	// AuthKey selects the images that the credentials are for: host[:port], or
	// host[:port]/path. The kubelet matches the path as a prefix.
	AuthKey  string
	Username string
	Password secret.Text
}

// Empty returns a response without credentials.
func Empty(scope Scope, cacheDuration time.Duration) Response {
	return Response{Scope: scope, CacheDuration: cacheDuration}
}

// Encode encodes the response to a request in the request's own version. From
// Kubernetes 1.32 on, the kubelet drops a response with an unknown field. Every kubelet
// drops a response without cacheKeyType.
func (r Request) Encode(response Response) ([]byte, error) {
	wire := v1.CredentialProviderResponse{
		TypeMeta:      metav1.TypeMeta{APIVersion: r.apiVersion, Kind: "CredentialProviderResponse"},
		CacheKeyType:  response.Scope,
		CacheDuration: &metav1.Duration{Duration: max(0, response.CacheDuration)},
	}
	if response.AuthKey != "" {
		wire.Auth = map[string]v1.AuthConfig{response.AuthKey: {Username: response.Username, Password: response.Password.Reveal()}}
	}
	encoded, err := json.Marshal(wire)
	if err != nil {
		return nil, fmt.Errorf("encoding the response: %w", err)
	}
	return append(encoded, '\n'), nil
}
