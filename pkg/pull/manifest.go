package pull

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strings"

	"ecr-cross-account-credential-provider/pkg/printable"
)

// accepted are the media types of manifests that runtimes accept.
var accepted = strings.Join([]string{
	"application/vnd.oci.image.index.v1+json",
	"application/vnd.oci.image.manifest.v1+json",
	"application/vnd.docker.distribution.manifest.list.v2+json",
	"application/vnd.docker.distribution.manifest.v2+json",
}, ", ")

// Manifest is the content of an image's manifest or index.
type Manifest struct {
	Config    Descriptor
	Manifests []Descriptor // of an index
}

// Descriptor identifies some content.
type Descriptor struct {
	Digest   string
	Platform struct{ OS, Architecture string }
}

// Resolve asks whether the registry has the manifest and allows pulling it. It
// sends a HEAD, as runtimes do at the start of a pull. The answer to a HEAD has no
// body, so a refusal has no reason. Manifest gets the reason.
func (r Registry) Resolve(ctx context.Context, repository, reference string) error {
	resp, err := r.ask(ctx, http.MethodHead, repository+"/manifests/"+reference, accepted)
	if err != nil {
		return err
	}
	return resp.Body.Close()
}

// Manifest gets a manifest. In a pull-through cache, this makes ECR import the image.
func (r Registry) Manifest(ctx context.Context, repository, reference string) (Manifest, error) {
	resp, err := r.ask(ctx, http.MethodGet, repository+"/manifests/"+reference, accepted)
	if err != nil {
		return Manifest{}, err
	}
	defer resp.Body.Close() //nolint:errcheck // it was only read
	var m Manifest
	if err := json.NewDecoder(resp.Body).Decode(&m); err != nil {
		return Manifest{}, fmt.Errorf("%s answered with a manifest that can't be read: %w", r.Host, err)
	}
	return m, nil
}

// Image gets the manifest of an image for a platform. If the reference names an
// index, it chooses the platform's image, or else the first one.
func (r Registry) Image(ctx context.Context, repository, reference, architecture string) (Manifest, error) {
	m, err := r.Manifest(ctx, repository, reference)
	if err != nil || len(m.Manifests) == 0 {
		return m, err
	}
	chosen := m.Manifests[0]
	for _, d := range m.Manifests {
		if d.Platform.OS == "linux" && d.Platform.Architecture == architecture {
			chosen = d
			break
		}
	}
	if err := r.checkDigest(chosen.Digest); err != nil {
		return Manifest{}, err
	}
	return r.Manifest(ctx, repository, chosen.Digest)
}

// digestPattern is the grammar of digests (OCI Image Specification, "Digests").
var digestPattern = regexp.MustCompile(`^[a-z0-9]+([+._-][a-z0-9]+)*:[a-zA-Z0-9=_-]+$`)

// checkDigest refuses a digest that is not a single element of a path.
func (r Registry) checkDigest(digest string) error {
	if digestPattern.MatchString(digest) {
		return nil
	}
	return fmt.Errorf("%s answered with a manifest that has an invalid digest: %q", r.Host, printable.Long(digest))
}

// enough is the number of bytes of a layer that show that S3 serves it.
const enough = 64 << 10

// Layer gets the start of the image's configuration, which is stored like a layer. ECR
// redirects to S3, with a signature in the URL. The token is not sent to S3. Layer
// returns the host that served the content.
func (r Registry) Layer(ctx context.Context, repository string, m Manifest) (host string, err error) {
	if err := r.checkDigest(m.Config.Digest); err != nil {
		return "", err
	}
	resp, err := r.ask(ctx, http.MethodGet, repository+"/blobs/"+m.Config.Digest, "")
	if err != nil {
		return "", err
	}
	_ = resp.Body.Close()
	location, err := resp.Location()
	if errors.Is(err, http.ErrNoLocation) {
		return r.Host, nil // the registry served the content itself
	}
	if err != nil {
		return "", fmt.Errorf("%s redirected to an address that is not a URL", r.Host)
	}
	if location.Scheme != "https" {
		return "", fmt.Errorf("%s redirected to %s://%s; want https", r.Host, location.Scheme, location.Host)
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, location.String(), nil)
	if err != nil {
		return "", err
	}
	resp, err = r.Send(request)
	if err != nil {
		return location.Hostname(), err
	}
	if resp.StatusCode >= http.StatusMultipleChoices {
		return location.Hostname(), refusal(resp, http.MethodGet)
	}
	if _, err = io.CopyN(io.Discard, resp.Body, enough); errors.Is(err, io.EOF) {
		err = nil // it is shorter
	}
	return location.Hostname(), errors.Join(err, resp.Body.Close())
}
