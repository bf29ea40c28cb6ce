package fakeaws

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"regexp"
	"strings"
)

// Push puts an image into a repository, under some tags. It has a manifest and a
// configuration, whose digest Push returns, and no layers.
func (w *World) Push(to Repository, tags ...string) (config string) {
	settings := []byte(`{"architecture":"amd64","os":"linux","rootfs":{"type":"layers","diff_ids":[]}}`)
	manifest := fmt.Appendf(nil, `{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json",`+
		`"config":{"mediaType":"application/vnd.oci.image.config.v1+json","digest":%q,"size":%d},"layers":[]}`, contentDigest(settings), len(settings))
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.images == nil {
		w.images = map[Repository]map[string][]byte{}
	}
	if w.images[to] == nil {
		w.images[to] = map[string][]byte{}
	}
	w.images[to][contentDigest(settings)], w.images[to][contentDigest(manifest)] = settings, manifest
	for _, tag := range tags {
		w.images[to][tag] = manifest
	}
	return contentDigest(settings)
}

// content returns what a repository has under a tag or digest.
func (w *World) content(of Repository, reference string) (content []byte, repositoryExists bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	repository, ok := w.images[of]
	return repository[reference], ok
}

func contentDigest(content []byte) string {
	sum := sha256.Sum256(content)
	return "sha256:" + hex.EncodeToString(sum[:])
}

var (
	registryHost = regexp.MustCompile(`^(\d{12})\.dkr\.ecr\.([a-z0-9-]+)\.amazonaws\.com$`)
	bucketHost   = regexp.MustCompile(`^prod-([a-z0-9-]+)-starport-layer-bucket\.s3\.([a-z0-9-]+)\.amazonaws\.com$`)
	contentPath  = regexp.MustCompile(`^/v2/(.+)/(manifests|blobs)/([^/]+)$`)
)

// The words of ECR (diagnoses of users quote them).
const (
	notAuthorized = "Not Authorized"
	tokenExpired  = "Your authorization token has expired. Reauthenticate and try again."
)

// registry answers for all private registries, by their host names: OCI's API, with
// ECR's own errors.
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

// serveContent gives a manifest, or redirects to a blob.
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
		w.Header().Set("Location", fmt.Sprintf("https://prod-%[1]s-starport-layer-bucket.s3.%[1]s.amazonaws.com/%[2]s?X-Amz-Signature=%[3]s",
			from.Region, reference, s.World.authenticate(reference)))
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

// mayDo decides on actions on a repository.
func (w *World) mayDo(g Grant, on Repository, actions ...string) *apiError {
	for _, name := range actions {
		if err := w.May(g, name, on); err != nil {
			return &apiError{http.StatusForbidden, "DENIED", err.Error()}
		}
	}
	return nil
}

// importUpstream fetches an image into a pull-through cache. Every upstream has every
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

// s3 answers for the buckets of layers. A URL has its own signature; S3 refuses a
// request that also brings an Authorization header.
func (s *Server) s3(w http.ResponseWriter, r *http.Request, _ []byte, call *Call) *apiError {
	call.Operation = r.Method + " " + r.URL.Path
	key := strings.TrimPrefix(r.URL.Path, "/")
	bucket, _, _ := strings.Cut(r.Host, ".s3.")
	passes := s.World.pass(S3Gateway, s.World.action("s3:GetObject", "arn:aws:s3:::"+bucket+"/"+key, "", Credentials{}))
	switch {
	case passes != nil:
		return &apiError{http.StatusForbidden, "AccessDenied", "Access Denied"}
	case bucketHost.FindStringSubmatch(r.Host) == nil:
		return &apiError{http.StatusNotFound, "NoSuchBucket", "The specified bucket does not exist"}
	case r.Header.Get("Authorization") != "":
		return &apiError{http.StatusBadRequest, "InvalidArgument", "Only one auth mechanism allowed"}
	case key == "" || r.URL.Query().Get("X-Amz-Signature") != s.World.authenticate(key):
		return &apiError{http.StatusForbidden, "AccessDenied", "Access Denied"}
	}
	_, _ = w.Write(s.World.blob(key))
	return nil
}

// blob returns a blob of any repository.
func (w *World) blob(digest string) []byte {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, repository := range w.images {
		if content, ok := repository[digest]; ok {
			return content
		}
	}
	return nil
}
