package registry_test

import (
	"strings"
	"testing"

	"github.com/distribution/reference"

	"ecr-cross-account-credential-provider/pkg/registry"
)

// FuzzReference compares Parse with the parser of the kubelet and the runtimes.
// Each accepted name is a reference with the same host and path. So the token is
// for the registry from which the runtime pulls. Each reference to an accepted host
// is accepted.
func FuzzReference(f *testing.F) {
	for _, name := range []string{
		host + "/app", host + ":443/team-a/app:v1", host + "/a//b", host + "/A", host + "/a__b/c--d.e", host + "/a._b", "user@" + host + "/app",
		"public.ecr.aws/eks/pause", "docker.io/" + host + "/app", host, host + ":v1", host + "/app:" + strings.Repeat("a", 128), "[::1]/app", host + "./app",
	} {
		f.Add(name)
	}
	f.Fuzz(func(t *testing.T, name string) {
		name, _, _ = strings.Cut(name, "@") // reference also checks a digest's algorithm
		image, ok := registry.Parse(name)
		named, err := reference.ParseNormalizedNamed(name)
		if err != nil {
			// reference allows 255 characters for a path, and ECR 256.
			if ok && len(image.Repository()) <= reference.RepositoryNameTotalLengthMax {
				t.Fatalf("Parse accepts the name, but the runtimes return: %v", err)
			}
			return
		}
		domain, path := reference.Domain(named), reference.Path(named)
		if ok && (domain != image.Server() || path != image.Repository()) {
			t.Errorf("got server %q, repository %q, want %q, %q as in the runtimes", image.Server(), image.Repository(), domain, path)
		}
		if _, known := registry.Parse(domain + "/app"); known && !ok {
			t.Errorf("Parse rejects the name, but the runtimes pull %s from %s", path, domain)
		}
	})
}
