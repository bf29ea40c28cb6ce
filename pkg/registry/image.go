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
	repository string
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

// Server is the registry as the image names it, host[:443]. The kubelet looks
// credentials up by it.
func (i Image) Server() string { return i.server }

// Repository is the repository's name, such as team-a/app.
func (i Image) Repository() string { return i.repository }

// String is the image without tag and digest: server/repository.
func (i Image) String() string { return i.server + "/" + i.repository }

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
	return Image{registry: registry, server: server, repository: repository}, nil
}
