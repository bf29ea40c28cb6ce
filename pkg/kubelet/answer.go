package kubelet

import (
	"encoding/json"
	"fmt"
	"io"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	v1 "k8s.io/kubelet/pkg/apis/credentialprovider/v1"
)

// Scope is what an answer is good for, the API's cacheKeyType.
type Scope = v1.PluginCacheKeyType

// The scopes that answers have.
const (
	ForImage    Scope = v1.ImagePluginCacheKeyType
	ForRegistry Scope = v1.RegistryPluginCacheKeyType
)

// Answer is what the kubelet is told. Without a Key it holds no credentials,
// which the kubelet remembers too.
type Answer struct {
	Scope Scope
	// Duration is how long the kubelet may use the answer without asking again;
	// 0 is not at all.
	Duration time.Duration
	// Key is what images the credentials are for: host[:port], or that and a
	// path; the kubelet matches it as a prefix.
	Key      string
	Username string
	Password string
}

// Empty is an answer without credentials.
func Empty(scope Scope, duration time.Duration) Answer {
	return Answer{Scope: scope, Duration: duration}
}

// String is the answer without its password.
func (a Answer) String() string {
	if a.Key == "" {
		return fmt.Sprintf("no credentials, %s, %s", a.Scope, a.Duration)
	}
	return fmt.Sprintf("credentials for %s, %s, %s", a.Key, a.Scope, a.Duration)
}

// Format is String for every verb, so that none prints the password.
func (a Answer) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, a.String()) }

// Encode writes the answer to a request in the request's own version. From
// Kubernetes 1.32 on the kubelet drops an answer with any other field than
// these five; it drops one without cacheKeyType always.
func (r Request) Encode(a Answer) ([]byte, error) {
	response := v1.CredentialProviderResponse{
		TypeMeta:      metav1.TypeMeta{APIVersion: r.apiVersion, Kind: "CredentialProviderResponse"},
		CacheKeyType:  a.Scope,
		CacheDuration: &metav1.Duration{Duration: max(0, a.Duration)},
	}
	if a.Key != "" {
		response.Auth = map[string]v1.AuthConfig{a.Key: {Username: a.Username, Password: a.Password}}
	}
	encoded, err := json.Marshal(response)
	if err != nil {
		return nil, fmt.Errorf("encoding the answer: %w", err)
	}
	return append(encoded, '\n'), nil
}
