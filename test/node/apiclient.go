package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"
	corev1 "k8s.io/api/core/v1"
)

// collections are the paths of objects, by kind. %s stands for the namespace.
var collections = map[string]string{
	"Namespace":          "/api/v1/namespaces",
	"Pod":                "/api/v1/namespaces/%s/pods",
	"ServiceAccount":     "/api/v1/namespaces/%s/serviceaccounts",
	"ClusterRole":        "/apis/rbac.authorization.k8s.io/v1/clusterroles",
	"ClusterRoleBinding": "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings",
}

// apply creates the objects of a manifest.
func (a *apiServer) apply(ctx context.Context, manifest string) error {
	for documents := yaml.NewDecoder(strings.NewReader(manifest)); ; {
		var object map[string]any
		if err := documents.Decode(&object); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
		body, err := json.Marshal(object)
		if err != nil {
			return err
		}
		if err := a.create(ctx, body); err != nil {
			return err
		}
	}
}

func (a *apiServer) create(ctx context.Context, body []byte) error {
	var object struct {
		Kind     string
		Metadata struct{ Namespace string }
	}
	if err := json.Unmarshal(body, &object); err != nil {
		return err
	}
	path, ok := collections[object.Kind]
	if !ok {
		return fmt.Errorf("creating an object of kind %q: it is not in collections", object.Kind)
	}
	if strings.Contains(path, "%s") {
		path = fmt.Sprintf(path, object.Metadata.Namespace)
	}
	return a.do(ctx, http.MethodPost, path, body, nil)
}

// events returns the events that users of a namespace see, in the same form as the
// node's events.
func (a *apiServer) events(ctx context.Context, namespace string) ([]string, error) {
	var list corev1.EventList
	err := a.get(ctx, "/api/v1/namespaces/"+namespace+"/events", &list)
	var all []string
	for _, e := range list.Items {
		all = append(all, fmt.Sprintf("%s/%s %s: %s", namespace, e.InvolvedObject.Name, e.Reason, e.Message))
	}
	return all, err
}

func (a *apiServer) get(ctx context.Context, path string, into any) error {
	return a.do(ctx, http.MethodGet, path, nil, into)
}

func (a *apiServer) do(ctx context.Context, method, path string, body []byte, into any) error {
	client, err := apiClient()
	if err != nil {
		return err
	}
	defer client.CloseIdleConnections()
	req, err := http.NewRequestWithContext(ctx, method, apiServerURL+path, bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Authorization", "Bearer "+adminToken)
	req.Header.Set("Content-Type", "application/json")
	resp, err := client.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close() //nolint:errcheck // the body is only read
	answer, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode >= 300 {
		return errors.Join(fmt.Errorf("%s %s: %s: %s", method, path, resp.Status, answer), err)
	}
	if into == nil {
		return nil
	}
	return json.Unmarshal(answer, into)
}

// apiClient returns a client that trusts the API server's own certificate. The server
// writes the certificate some time after it has started.
func apiClient() (*http.Client, error) {
	certificate, err := os.ReadFile(apiServerDir + "/apiserver.crt")
	if err != nil {
		return nil, err
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(certificate)
	return &http.Client{
		Timeout:   10 * time.Second,
		Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}},
	}, nil
}
