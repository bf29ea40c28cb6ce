package main

import (
	"archive/tar"
	"bytes"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/layout"
)

var architectures = []string{"amd64", "arm64"}

// build copies the sources into a new directory, and builds the program for both
// architectures there. It returns the path of the image's archive.
func build(t *testing.T) (archive string) {
	t.Helper()
	const root = "../../.."
	dir := t.TempDir()
	for _, name := range []string{"cmd", "pkg"} {
		if err := os.CopyFS(filepath.Join(dir, name), os.DirFS(filepath.Join(root, name))); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"go.mod", "go.sum"} {
		content, err := os.ReadFile(filepath.Join(root, name))
		if err == nil {
			err = os.WriteFile(filepath.Join(dir, name), content, 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	archive = filepath.Join(dir, "image.tar")
	args := []string{"-o", archive, "-version", "v1.2.3"}
	for _, architecture := range architectures {
		path := filepath.Join(dir, architecture)
		cmd := exec.CommandContext(t.Context(), "go", "build", "-trimpath", "-ldflags", "-s -w", "-o", path, ".")
		cmd.Dir, cmd.Env = filepath.Join(dir, "cmd/ecr-pull-secrets"), append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux", "GOARCH="+architecture)
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		args = append(args, "linux/"+architecture+"="+path)
	}
	if err := run(args, io.Discard); err != nil {
		t.Fatal(err)
	}
	return archive
}

// TestImage: two builds in different directories give the same bytes. The image has
// what it needs and nothing else.
func TestImage(t *testing.T) {
	t.Parallel()
	one, two := build(t), build(t)
	first, err := os.ReadFile(one)
	if err != nil {
		t.Fatal(err)
	}
	second, err := os.ReadFile(two)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(first, second) {
		t.Error("got different bytes from two builds, want the same")
	}
	for _, architecture := range architectures {
		checkImage(t, imageIn(t, first, architecture), architecture)
	}
}

// imageIn unpacks an archive and returns the image of an architecture.
func imageIn(t *testing.T, archive []byte, architecture string) v1.Image {
	t.Helper()
	dir := t.TempDir()
	if err := os.CopyFS(dir, untar(t, bytes.NewReader(archive))); err != nil {
		t.Fatal(err)
	}
	root, err := layout.ImageIndexFromPath(dir)
	if err != nil {
		t.Fatal(err)
	}
	manifest, err := root.IndexManifest()
	if err != nil || len(manifest.Manifests) != 1 || manifest.Manifests[0].Annotations["org.opencontainers.image.ref.name"] != "v1.2.3" {
		t.Fatalf("got %v, error %v; want one index v1.2.3", manifest, err)
	}
	index, err := root.ImageIndex(manifest.Manifests[0].Digest)
	if err != nil {
		t.Fatal(err)
	}
	platforms, err := index.IndexManifest()
	if err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(platforms.Manifests, func(d v1.Descriptor) bool {
		return d.Platform.OS == "linux" && d.Platform.Architecture == architecture
	})
	if i < 0 {
		t.Fatalf("got no image for linux/%s, want one", architecture)
	}
	image, err := index.Image(platforms.Manifests[i].Digest)
	if err != nil {
		t.Fatal(err)
	}
	return image
}

func checkImage(t *testing.T, image v1.Image, architecture string) {
	t.Helper()
	config, err := image.ConfigFile()
	if err != nil {
		t.Fatal(err)
	}
	if config.Config.User != user || !slices.Equal(config.Config.Entrypoint, []string{"/ecr-pull-secrets"}) || config.Architecture != architecture {
		t.Errorf("%s: got user %q, entry point %q, architecture %q; want those of the program", architecture, config.Config.User, config.Config.Entrypoint, config.Architecture)
	}
	layers, err := image.Layers()
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, layer := range layers {
		content, err := layer.Uncompressed()
		if err != nil {
			t.Fatal(err)
		}
		for reader := tar.NewReader(content); ; {
			header, err := reader.Next()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
			names = append(names, header.Name)
			if strings.HasSuffix(header.Name, ".crt") {
				checkCertificates(t, reader)
			}
		}
	}
	if want := []string{"etc/", "etc/ssl/", "etc/ssl/certs/", "etc/ssl/certs/ca-certificates.crt", "ecr-pull-secrets"}; !slices.Equal(names, want) {
		t.Errorf("%s: got %q, want %q", architecture, names, want)
	}
}
