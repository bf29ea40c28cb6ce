package fakeaws

import (
	"fmt"
	"net/http"
	"regexp"
	"strings"
)

var contentPath = regexp.MustCompile(`^/v2/(.+)/(manifests|blobs)/([^/]+)$`)

// These are ECR's texts, which users quote in reports.
const (
	notAuthorized = "Not Authorized"
	tokenExpired  = "Your authorization token has expired. Reauthenticate and try again."
)

// registry answers for all private registries, by their host names. It serves the OCI
// API with ECR's own errors.
func (s *Server) registry(w http.ResponseWriter, r *http.Request, _ []byte, call *Call) *apiError {
	call.Operation = r.Method + " " + r.URL.Path
	host := registryHost.FindStringSubmatch(r.Host)
	if host == nil {
		return &apiError{http.StatusNotFound, "", "no registry of this name"}
	}
	call.Region = host[2]
	_, password, _ := r.BasicAuth()
	grant, err := s.World.ReadToken(password)
	call.Principal = grant.Principal
	switch {
	case err != nil && grant.Principal == "":
		w.Header().Set("Www-Authenticate", fmt.Sprintf(`Basic realm="https://%s/",service="ecr.amazonaws.com"`, r.Host))
		return &apiError{http.StatusUnauthorized, "", notAuthorized}
	case err != nil, grant.Region != host[2]:
		return &apiError{http.StatusForbidden, "DENIED", tokenExpired}
	case r.URL.Path == "/v2/":
		return nil
	}
	path := contentPath.FindStringSubmatch(r.URL.Path)
	if path == nil {
		return &apiError{http.StatusNotFound, "UNSUPPORTED", "not here"}
	}
	return s.serveContent(w, r, grant, Repository{Account: host[1], Region: host[2], Name: path[1]}, path[2], path[3])
}

// serveContent answers with a manifest, or redirects to a blob.
func (s *Server) serveContent(w http.ResponseWriter, r *http.Request, grant Grant, from Repository, kind, reference string) *apiError {
	actions := []string{"ecr:BatchGetImage"}
	if kind == "blobs" {
		actions = []string{"ecr:BatchCheckLayerAvailability", "ecr:GetDownloadUrlForLayer"}
	}
	if refusal := s.World.mayDo(grant, from, actions...); refusal != nil {
		return refusal
	}
	content, ok := s.World.content(from, reference)
	if content == nil && r.Method == http.MethodGet && kind == "manifests" && s.World.cached(from) {
		if refusal := s.World.importUpstream(grant, from, reference, ok); refusal != nil {
			return refusal
		}
		content, ok = s.World.content(from, reference)
	}
	switch {
	case !ok:
		return &apiError{http.StatusNotFound, "NAME_UNKNOWN", noRepository(from)}
	case content == nil:
		return &apiError{http.StatusNotFound, strings.ToUpper(kind[:len(kind)-1]) + "_UNKNOWN", "Requested image not found"}
	case kind == "blobs":
		w.Header().Set("Location", fmt.Sprintf("https://prod-%[1]s-starport-layer-bucket.s3.%[1]s.%[2]s/%[3]s?X-Amz-Signature=%[4]s",
			from.Region, partitionAt(from.Region).domain, reference, s.World.authenticate(reference)))
		w.WriteHeader(http.StatusTemporaryRedirect)
		return nil
	}
	w.Header().Set("Content-Type", "application/vnd.oci.image.manifest.v1+json")
	w.Header().Set("Docker-Content-Digest", contentDigest(content))
	_, _ = w.Write(content)
	return nil
}

func noRepository(r Repository) string {
	return fmt.Sprintf("The repository with name '%s' does not exist in the registry with id '%s'", r.Name, r.Account)
}

// mayDo returns an error if a grant does not allow actions on a repository.
func (w *World) mayDo(g Grant, on Repository, actions ...string) *apiError {
	for _, name := range actions {
		if err := w.May(g, name, on); err != nil {
			return &apiError{http.StatusForbidden, "DENIED", err.Error()}
		}
	}
	return nil
}

// importUpstream imports an image into a pull-through cache. Every upstream has every
// image.
func (w *World) importUpstream(g Grant, into Repository, reference string, exists bool) *apiError {
	actions := []string{"ecr:BatchImportUpstreamImage"}
	if !exists {
		actions = append(actions, "ecr:CreateRepository")
	}
	if refusal := w.mayDo(g, into, actions...); refusal != nil {
		return refusal
	}
	w.Push(into, reference)
	return nil
}

// s3 answers for the buckets of layers. The URL of a layer is signed. S3 refuses a
// request that also has an Authorization header.
func (s *Server) s3(w http.ResponseWriter, r *http.Request, _ []byte, call *Call) *apiError {
	call.Operation = r.Method + " " + r.URL.Path
	key := strings.TrimPrefix(r.URL.Path, "/")
	host := bucketHost.FindStringSubmatch(r.Host)
	if host == nil {
		return &apiError{http.StatusNotFound, "NoSuchBucket", "The specified bucket does not exist"}
	}
	call.Region = host[2]
	object := "arn:" + partitionAt(host[2]).name + ":s3:::" + host[1] + "/" + key
	switch {
	case s.World.pass(S3Gateway, s.World.action("s3:GetObject", object, "", Credentials{})) != nil:
		return &apiError{http.StatusForbidden, "AccessDenied", "Access Denied"}
	case r.Header.Get("Authorization") != "":
		return &apiError{http.StatusBadRequest, "InvalidArgument", "Only one auth mechanism allowed"}
	case key == "" || r.URL.Query().Get("X-Amz-Signature") != s.World.authenticate(key):
		return &apiError{http.StatusForbidden, "AccessDenied", "Access Denied"}
	}
	_, _ = w.Write(s.World.blob(key))
	return nil
}
