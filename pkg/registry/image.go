package registry

import (
	"errors"
	"fmt"
	"strings"
)

// Image is the name of an image in an ECR registry: registry and repository,
// without tag and digest. Parse returns one. The zero value is not an image.
type Image struct {
	registry   Registry
	server     string
	path       string // after the server, as the image names it
	repository string // in the registry; differs from path if server is a mirror's host
}

// Parse parses an image as a pod or a kubelet names it, with or without tag, digest
// and port 443. It accepts any text, and reports false if the image is not in an
// ECR registry.
func Parse(image string) (Image, bool) {
	parsed, err := parse(image)
	return parsed, err == nil
}

// WhyNotECR returns a short error that says why an image is not in an ECR registry.
// It returns nil if the image is in one.
func WhyNotECR(image string) error {
	_, err := parse(image)
	return err
}

// Registry returns the registry that the image is in.
func (i Image) Registry() Registry { return i.registry }

// Server returns the registry's host as the image names it, with or without :443, or
// the host of a Mirror. The kubelet looks up credentials by this name.
func (i Image) Server() string { return i.server }

// Mirrored reports whether the server is the host of a Mirror, not the registry.
func (i Image) Mirrored() bool {
	return i.path != i.repository || i.server != i.registry.host && i.server != i.registry.host+":443"
}

// Path returns the rest of the name after the server, without tag and digest.
func (i Image) Path() string { return i.path }

// Repository returns the repository's name in the registry, such as team-a/app.
func (i Image) Repository() string { return i.repository }

// String returns the image without tag and digest, as the kubelet names it.
func (i Image) String() string { return i.server + "/" + i.path }

// maxImage is longer than every name that a container runtime accepts. A host has
// at most 253 characters, a repository 256, and a tag 128. A digest may follow.
const maxImage = 1024

func parse(image string) (Image, error) {
	if len(image) > maxImage {
		return Image{}, fmt.Errorf("the name is longer than %d characters", maxImage)
	}
	server, rest, ok := strings.Cut(image, "/")
	if !ok {
		return Image{}, errors.New("a name without a registry host belongs to Docker Hub")
	}
	host, port, hasPort := strings.Cut(server, ":")
	registry, err := parseHost(host)
	if err != nil {
		return Image{}, err
	}
	if hasPort && port != "443" {
		return Image{}, errors.New("an ECR registry has only port 443")
	}
	repository, err := cutReference(rest)
	if err != nil {
		return Image{}, err
	}
	return Image{registry: registry, server: server, path: repository, repository: repository}, nil
}
