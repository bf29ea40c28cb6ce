package registry_test

import (
	"strings"
	"testing"

	"ecr-cross-account-credential-provider/pkg/registry"
)

const mirrorTarget = "444455556666.dkr.ecr.eu-west-1.amazonaws.com/docker-hub"

func TestMirrorImage(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, host, image  string
		server, repository string // of the image in ECR; empty if the host differs
		wantErr            string
	}{
		{"an official image, as the kubelet names it", "docker.io", "docker.io/library/nginx", "docker.io", "docker-hub/library/nginx", ""},
		{"the same as people write it", "docker.io", "nginx:1.27", "docker.io", "docker-hub/library/nginx", ""},
		{"an official image without library/", "docker.io", "docker.io/nginx", "docker.io", "docker-hub/library/nginx", ""},
		{"the other name of Docker Hub", "docker.io", "index.docker.io/library/nginx", "docker.io", "docker-hub/library/nginx", ""},
		{"an image without a host", "docker.io", "grafana/loki:3@sha256:" + strings.Repeat("a", 64), "docker.io", "docker-hub/grafana/loki", ""},
		{"a host with a port", "r.example.com:5000", "r.example.com:5000/a/b", "r.example.com:5000", "docker-hub/a/b", ""},
		{"the port counts", "r.example.com", "r.example.com:5000/a/b", "", "", ""},
		{"another host", "docker.io", "quay.io/library/nginx", "", "", ""},
		{"a host in the path", "docker.io", "quay.io/docker.io/nginx", "", "", ""},
		{"a host that ends with the mirror's", "docker.io", "notdocker.io/nginx", "", "", ""},
		{"a host that starts with the mirror's", "docker.io", "docker.io.example.com/nginx", "", "", ""},
		{"another case", "docker.io", "Docker.io/nginx", "", "", ""},
		{"ECR Public", "public.ecr.aws", "public.ecr.aws/eks/coredns", "public.ecr.aws", "docker-hub/eks/coredns", ""},
		{"ECR itself", "docker.io", "444455556666.dkr.ecr.eu-west-1.amazonaws.com/app", "", "", ""},
		{"out of the prefix", "docker.io", "docker.io/../team-a/app", "", "", "the path is not a repository's name"},
		{"a double slash", "docker.io", "docker.io//team-a/app", "", "", "the path is not a repository's name"},
		{"no path", "docker.io", "docker.io/", "", "", "the path is not a repository's name"},
		{"a hostile reference", "docker.io", "docker.io/app@evil.example.com/x", "", "", "what follows the @ is not a digest"},
		{"a long path", "docker.io", "docker.io/x/" + strings.Repeat("a", 250), "", "", "more than 256 characters"},
		{"a very long name", "docker.io", "docker.io/" + strings.Repeat("a", 2000), "", "", ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			m, err := registry.NewMirror(test.host, mirrorTarget)
			if err != nil {
				t.Fatal(err)
			}
			image, ofHost, err := m.Image(test.image)
			switch {
			case test.wantErr != "":
				if err == nil || !ofHost || !strings.Contains(err.Error(), test.wantErr) {
					t.Errorf("got %v, %v; want true and %s", ofHost, err, test.wantErr)
				}
			case err != nil || ofHost != (test.server != "") || image.Server() != test.server || image.Repository() != test.repository:
				t.Errorf("got %s, %s, %v, %v; want %s, %s", image.Server(), image.Repository(), ofHost, err, test.server, test.repository)
			case ofHost && (image.Registry().Host()+"/docker-hub" != mirrorTarget || image.String() != test.server+"/"+strings.TrimPrefix(test.repository, "docker-hub/") || !image.Mirrored()):
				t.Errorf("got registry %s, image %s, mirrored %t; want the mirror's registry and the image's own name", image.Registry(), image, image.Mirrored())
			}
		})
	}
}

// TestMirrorWithoutPrefix: without a prefix, repositories have the image's own
// path.
func TestMirrorWithoutPrefix(t *testing.T) {
	t.Parallel()
	m, err := registry.NewMirror("quay.io", "444455556666.dkr.ecr.eu-west-1.amazonaws.com")
	if err != nil {
		t.Fatal(err)
	}
	if image, ok, err := m.Image("quay.io/team/app:1"); !ok || err != nil || image.Repository() != "team/app" || image.String() != "quay.io/team/app" || !image.Mirrored() {
		t.Errorf("got %s in %s, %t, %v; want quay.io/team/app in team/app", image, image.Repository(), ok, err)
	}
}

func TestMirrored(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"444455556666.dkr.ecr.eu-west-1.amazonaws.com/app", "444455556666.dkr.ecr.eu-west-1.amazonaws.com:443/app", "public.ecr.aws/x/y"} {
		if image, ok := registry.Parse(name); !ok || image.Mirrored() {
			t.Errorf("%s: in ECR %t, mirrored %t; want true, false", name, ok, image.Mirrored())
		}
	}
}
