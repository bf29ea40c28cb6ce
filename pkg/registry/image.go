package registry

import (
	"errors"
	"fmt"
	"strings"
)

// Image is the name of an image in an ECR registry: registry and repository,
// without tag and digest. Parse makes it; the zero value is no image.
type Image struct {
	registry   Registry
	server     string
	path       string // after the server, as the image names it
	repository string // in the registry; differs from path where server is a mirror's host
}

// Parse parses an image as a pod or a kubelet names it, with or without tag,
// digest and port 443. It reports false if the image is not in an ECR registry,
// whatever the name contains.
func Parse(image string) (Image, bool) {
	parsed, err := parse(image)
	return parsed, err == nil
}

// WhyNotECR returns why an image is not in an ECR registry, in a few words; nil if
// it is in one.
func WhyNotECR(image string) error {
	_, err := parse(image)
	return err
}

// Registry is the registry that the image is in.
func (i Image) Registry() Registry { return i.registry }

// Server is the registry as the image names it, host[:443], or the host of a Mirror.
// The kubelet looks credentials up by it.
func (i Image) Server() string { return i.server }

// Mirrored reports whether the server is the host of a Mirror, not the registry.
func (i Image) Mirrored() bool {
	return i.path != i.repository || i.server != i.registry.host && i.server != i.registry.host+":443"
}

// Repository is the repository's name in the registry, such as team-a/app.
func (i Image) Repository() string { return i.repository }

// String is the image without tag and digest, as the kubelet names it.
func (i Image) String() string { return i.server + "/" + i.path }

// maxImage is longer than every name that a container runtime accepts: a host of
// at most 253 characters, a repository of at most 256, a tag of 128, a digest.
const maxImage = 1024

func parse(image string) (Image, error) {
	if len(image) > maxImage {
		return Image{}, fmt.Errorf("the name is longer than %d characters", maxImage)
	}
	server, rest, ok := strings.Cut(image, "/")
	if !ok {
		return Image{}, errors.New("a name without a registry host is one of Docker Hub")
	}
	host, port, hasPort := strings.Cut(server, ":")
	registry, err := parseHost(host)
	if err != nil {
		return Image{}, err
	}
	if hasPort && port != "443" {
		return Image{}, errors.New("an ECR registry has no port but 443")
	}
	repository, err := cutReference(rest)
	if err != nil {
		return Image{}, err
	}
	return Image{registry: registry, server: server, path: repository, repository: repository}, nil
}
