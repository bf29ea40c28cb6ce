package main

import (
	"crypto/tls"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"regexp"
	"strings"
	"sync"

	"github.com/google/go-containerregistry/pkg/registry"

	"ecr-cross-account-credential-provider/test/fakeaws"
)

// registries are the private registries of all accounts, with ECR's checks. They accept
// only tokens that AWS minted, and only for repositories that the principal may pull.
// Everybody may pull images of other hosts. Only Docker Hub refuses all requests.
type registries struct {
	world *fakeaws.World

	mu       sync.Mutex
	contents map[string]*contents // by host
	log      []access
}

// contents are the images of one registry.
type contents struct {
	http.Handler
	blobs registry.BlobHandler
}

// access is a request in the registries' log.
type access struct {
	method, host, path string
	// mirrored is the image's host, if the request went to a mirror outside ECR.
	mirrored  string
	principal string
	status    int
}

func (a access) String() string {
	who := a.principal
	if who == "" {
		who = "nobody"
	}
	if a.mirrored != "" {
		who += ", for " + a.mirrored
	}
	return fmt.Sprintf("%d %s https://%s%s by %s", a.status, a.method, a.host, a.path, who)
}

// serveRegistries serves the registries under all their names.
func serveRegistries(world *fakeaws.World, certificate *tls.Config) (*registries, error) {
	r := &registries{world: world, contents: map[string]*contents{}}
	socket, err := tls.Listen("tcp", "127.0.0.1:443", certificate)
	if err != nil {
		return nil, err
	}
	server := &http.Server{Handler: r, ErrorLog: log.New(io.Discard, "", 0)}
	go func() { _ = server.Serve(socket) }()
	return r, nil
}

// at returns the contents of a registry. It adds the registry if it is new.
func (r *registries) at(host string) *contents {
	r.mu.Lock()
	defer r.mu.Unlock()
	c, ok := r.contents[host]
	if !ok {
		blobs := registry.NewInMemoryBlobHandler()
		c = &contents{registry.New(registry.WithBlobHandler(blobs), registry.Logger(log.New(io.Discard, "", 0))), blobs}
		r.contents[host] = c
	}
	return c
}

// ServeHTTP answers with the image's content or an error, and records the request.
// containerd tells a mirror which registry it replaces.
func (r *registries) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	host, _, err := net.SplitHostPort(req.Host)
	if err != nil {
		host = req.Host
	}
	entry := access{method: req.Method, host: host, path: req.URL.Path}
	// ECR ignores the name of the host that it replaces.
	if ns := req.URL.Query().Get("ns"); ns != "" && ns != host && !ecrHost.MatchString(host) {
		entry.mirrored, host = ns, ns
	}
	answer := &statusWriter{ResponseWriter: w, status: http.StatusOK}
	if r.admit(answer, req, host, &entry) {
		r.at(host).ServeHTTP(answer, req)
	}
	entry.status = answer.status
	r.mu.Lock()
	defer r.mu.Unlock()
	r.log = append(r.log, entry)
}

var (
	ecrHost   = regexp.MustCompile(`^(\d{12})\.dkr\.ecr\.([a-z0-9-]+)\.amazonaws\.com$`)
	imagePath = regexp.MustCompile(`^/v2/(.+)/(?:manifests|blobs|tags)/`)
)

// admit makes ECR's checks.
func (r *registries) admit(w http.ResponseWriter, req *http.Request, host string, entry *access) bool {
	place := ecrHost.FindStringSubmatch(host)
	if host == dockerHub {
		return r.admitToDockerHub(w, req, entry)
	}
	if place == nil {
		return true
	}
	user, password, ok := req.BasicAuth()
	if !ok || user != "AWS" {
		w.Header().Set("WWW-Authenticate", fmt.Sprintf(`Basic realm="https://%s/",service="ecr.amazonaws.com"`, host))
		http.Error(w, "Not Authorized", http.StatusUnauthorized)
		return false
	}
	grant, err := r.world.ReadToken(password)
	entry.principal = grant.Principal
	if err == nil {
		name := imagePath.FindStringSubmatch(req.URL.Path)
		if name == nil { // the registry's root
			return true
		}
		err = r.world.MayPull(grant, fakeaws.Repository{Account: place[1], Region: place[2], Name: name[1]})
	}
	if err == nil {
		return true
	}
	body, _ := json.Marshal(map[string]any{"errors": []any{map[string]string{"code": "DENIED", "message": err.Error()}}})
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(http.StatusForbidden)
	_, _ = w.Write(body)
	return false
}

// admitToDockerHub requests credentials like Docker Hub, and accepts none. It records
// whose token it gets.
func (r *registries) admitToDockerHub(w http.ResponseWriter, req *http.Request, entry *access) bool {
	if _, password, ok := req.BasicAuth(); ok {
		grant, _ := r.world.ReadToken(password) // other passwords have no principal
		entry.principal = grant.Principal
	}
	w.Header().Set("WWW-Authenticate", `Basic realm="docker.io"`)
	http.Error(w, "unauthorized", http.StatusUnauthorized)
	return false
}

// manifests returns the requests for manifests so far. Each pull begins with one.
func (r *registries) manifests(host string) []access {
	r.mu.Lock()
	defer r.mu.Unlock()
	var found []access
	for _, a := range r.log {
		if a.host == host && strings.Contains(a.path, "/manifests/") {
			found = append(found, a)
		}
	}
	return found
}

// accesses returns all requests so far.
func (r *registries) accesses() []access {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]access(nil), r.log...)
}

type statusWriter struct {
	http.ResponseWriter
	status int
}

// WriteHeader records the status.
func (w *statusWriter) WriteHeader(status int) {
	w.status = status
	w.ResponseWriter.WriteHeader(status)
}
