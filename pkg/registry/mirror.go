package registry

import (
	"fmt"
	"strings"

	"ecr-cross-account-credential-provider/pkg/printable"
)

// Mirror is an image host. Container runtimes pull its images through an ECR
// registry. A node asks for credentials of the host, not of the registry. NewMirror
// returns one. The zero value mirrors nothing.
type Mirror struct {
	host     string
	registry Registry
	prefix   string // of repositories; empty, or ends in a slash
}

// NewMirror returns a Mirror for a host as kubelets name it, and a target
// REGISTRY[/PREFIX]. PREFIX is the prefix of the repositories.
func NewMirror(host, target string) (Mirror, error) {
	m := Mirror{host: host}
	if err := CheckMirrorHost(host); err != nil {
		return Mirror{}, err
	}
	name, prefix, hasPrefix := strings.Cut(target, "/")
	var err error
	if m.registry, err = parseHost(name); err != nil || m.registry.Public() {
		return Mirror{}, fmt.Errorf("%q is not a private ECR registry; want one such as 444455556666.dkr.ecr.eu-west-1.amazonaws.com/docker-hub",
			printable.Short(target))
	}
	if hasPrefix {
		if len(prefix) >= maxRepository || !isRepository(prefix) {
			return Mirror{}, fmt.Errorf("%q: the prefix %q is not the start of a repository's name, such as docker-hub",
				printable.Long(target), printable.Short(prefix))
		}
		m.prefix = prefix + "/"
	}
	return m, nil
}

// dockerHub is the host of images whose names have no host.
const dockerHub = "docker.io"

// CheckMirrorHost returns an error if a host cannot be that of a Mirror: no kubelet
// asks for it, or it is a private ECR registry itself.
func CheckMirrorHost(host string) error {
	if lower := strings.ToLower(host); lower != host {
		return fmt.Errorf("%q has upper-case letters, and image names match only in lower case; write %s", printable.Short(host), printable.Short(lower))
	}
	bare := host
	if _, rest, ok := strings.Cut(host, "://"); ok {
		bare = rest
	}
	bare, _, _ = strings.Cut(bare, "/")
	name, port, hasPort := strings.Cut(bare, ":")
	private, err := parseHost(name)
	switch {
	case err == nil && !private.Public():
		return fmt.Errorf("%q is an ECR registry itself; write an entry of registries for its account", printable.Short(host))
	case name == "index.docker.io" || name == "registry-1.docker.io":
		return fmt.Errorf("%q is not what kubelets ask for; write %s", printable.Short(host), dockerHub)
	case !isHost(name, hasPort) || hasPort && !isPort(port):
		return fmt.Errorf("%q is not a host as used in image names; want one such as docker.io or registry.example.com:5000", printable.Short(host))
	case bare != host:
		return fmt.Errorf("%q has a scheme or a path; write %s", printable.Short(host), bare)
	}
	return nil
}

// isHost reports whether the first part of an image's name is a host. A host has a
// dot or a port, or is localhost. Any other first part belongs to a path on Docker Hub
// (github.com/distribution/reference).
func isHost(name string, hasPort bool) bool {
	for label := range strings.SplitSeq(name, ".") {
		if strings.Trim(label, "-") != label || label == "" || strings.Trim(strings.ToLower(label), "abcdefghijklmnopqrstuvwxyz0123456789-") != "" {
			return false
		}
	}
	return len(name) <= 253 && (hasPort || name == "localhost" || strings.Contains(name, "."))
}

func isPort(s string) bool { return s != "" && len(s) <= 5 && strings.Trim(s, "0123456789") == "" }

// Host returns the host whose images the registry mirrors, with its port if it has
// one.
func (m Mirror) Host() string { return m.host }

// Registry returns the registry that container runtimes pull through.
func (m Mirror) Registry() Registry { return m.registry }

// Prefix returns the prefix of the repositories' names. It is empty, or ends in a
// slash.
func (m Mirror) Prefix() string { return m.prefix }

// Image returns the image in the registry for an image of the host. It reports
// false if the image is of another host. The error says why an image of the host
// cannot be in the registry.
func (m Mirror) Image(name string) (image Image, ofHost bool, err error) {
	server, rest, err := splitHost(name)
	if server != m.host {
		return Image{}, false, nil
	}
	if err != nil {
		return Image{}, true, err
	}
	path, err := cutReference(rest)
	if err != nil {
		return Image{}, true, err
	}
	if len(m.prefix+path) > maxRepository {
		return Image{}, true, fmt.Errorf("the repository %s has more than %d characters", printable.Short(m.prefix+path), maxRepository)
	}
	return Image{registry: m.registry, server: server, path: path, repository: m.prefix + path}, true, nil
}

// splitHost splits an image's name as kubelets do. A name without a host belongs to
// Docker Hub, whose official images are in library/.
func splitHost(name string) (server, rest string, err error) {
	if len(name) > maxImage {
		return "", "", fmt.Errorf("the name is longer than %d characters", maxImage)
	}
	server, rest, ok := strings.Cut(name, "/")
	host, _, hasPort := strings.Cut(server, ":")
	if !ok || !isHost(host, hasPort) {
		server, rest = dockerHub, name
	}
	if server == "index.docker.io" {
		server = dockerHub
	}
	if server == dockerHub && !strings.Contains(rest, "/") && rest != "" {
		rest = "library/" + rest
	}
	return server, rest, nil
}
