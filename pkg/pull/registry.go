// Package pull asks a registry for an image as a container runtime does, and keeps
// the registry's reasons for a refusal (OCI Distribution Specification; Amazon ECR).
package pull

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"

	"ecr-cross-account-credential-provider/pkg/secret"
)

// Registry is a registry's API. All fields are required.
type Registry struct {
	// Host is the registry's host name, without a port.
	Host string
	// Login is the user name and the password: "AWS:PASSWORD".
	Login secret.Text
	// Send sends a request, and follows no redirect. It limits the answer's body.
	Send func(*http.Request) (*http.Response, error)
}

// Refusal is a registry's answer without the requested content.
type Refusal struct {
	Status int
	// Code and Message are the registry's own words. They come from outside, and may
	// be empty.
	Code, Message string
	// Host is the host that answered. Method is the request's method.
	Host, Method string
}

// Error returns the answer in one line.
func (r *Refusal) Error() string {
	text := fmt.Sprintf("%s answered %s", r.Host, strings.TrimSpace(fmt.Sprintf("%d %s", r.Status, http.StatusText(r.Status))))
	for _, word := range []string{r.Code, r.Message} {
		if word != "" {
			text += ": " + word
		}
	}
	return text
}

// Ping asks whether the registry accepts the token.
func (r Registry) Ping(ctx context.Context) error {
	resp, err := r.ask(ctx, http.MethodGet, "", "")
	if err != nil {
		return err
	}
	if resp.StatusCode != http.StatusOK {
		return refusal(resp, http.MethodGet)
	}
	return resp.Body.Close()
}

// ask sends a request with the token. path follows /v2/.
func (r Registry) ask(ctx context.Context, method, path, accept string) (*http.Response, error) {
	request, err := http.NewRequestWithContext(ctx, method, "https://"+r.Host+"/v2/"+path, nil)
	if err != nil {
		return nil, err
	}
	username, password := r.Login.Cut(":")
	request.SetBasicAuth(username, password.Reveal())
	if accept != "" {
		request.Header.Set("Accept", accept)
	}
	resp, err := r.Send(request)
	if err != nil {
		return nil, err
	}
	if resp.StatusCode >= http.StatusBadRequest {
		return nil, refusal(resp, method)
	}
	return resp, nil
}

// refusal reads an answer's reason, and closes the answer.
func refusal(resp *http.Response, method string) *Refusal {
	defer resp.Body.Close() //nolint:errcheck // it was only read
	r := &Refusal{Status: resp.StatusCode, Host: resp.Request.URL.Hostname(), Method: method}
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return r // only the status
	}
	var answer struct {
		Errors []struct{ Code, Message string } `json:"errors"`
	}
	switch err := json.Unmarshal(body, &answer); {
	case err == nil && len(answer.Errors) > 0:
		r.Code, r.Message = answer.Errors[0].Code, answer.Errors[0].Message
	case strings.HasPrefix(cmp.Or(resp.Header.Get("Content-Type"), http.DetectContentType(body)), "text/plain"):
		r.Message = strings.TrimSpace(string(body))
	case strings.Contains(resp.Header.Get("Content-Type"), "xml"):
		r.Code, r.Message = element(string(body), "Code"), element(string(body), "Message")
	}
	return r
}

// element returns the text of an XML element without children, as in S3's errors.
// It is empty if there is no such element.
func element(xml, name string) string {
	_, after, _ := strings.Cut(xml, "<"+name+">")
	text, _, found := strings.Cut(after, "</"+name+">")
	if !found {
		return ""
	}
	return text
}
