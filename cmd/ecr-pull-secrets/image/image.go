package main

import (
	"archive/tar"
	"bytes"
	"encoding/pem"
	"fmt"
	"io"
	"os"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/google/go-containerregistry/pkg/v1/types"
	"golang.org/x/crypto/x509roots/fallback/bundle"
)

// program is a static program for a platform.
type program struct{ system, architecture, path string }

// user is the user that runs the program.
const user = "65532:65532"

// indexOf returns the index of the programs' images.
func indexOf(programs []program, version string) (v1.ImageIndex, error) {
	index := mutate.IndexMediaType(empty.Index, types.OCIImageIndex)
	for _, p := range programs {
		image, err := imageOf(p, version)
		if err != nil {
			return nil, fmt.Errorf("%s/%s: %w", p.system, p.architecture, err)
		}
		index = mutate.AppendManifests(index, mutate.IndexAddendum{
			Add: image, Descriptor: v1.Descriptor{Platform: &v1.Platform{OS: p.system, Architecture: p.architecture}},
		})
	}
	return index, nil
}

func imageOf(p program, version string) (v1.Image, error) {
	content, err := os.ReadFile(p.path)
	if err != nil {
		return nil, err
	}
	certificates, err := layerOf(
		file{name: "etc/"}, file{name: "etc/ssl/"}, file{name: "etc/ssl/certs/"},
		file{"etc/ssl/certs/ca-certificates.crt", certificates(), 0o644},
	)
	if err != nil {
		return nil, err
	}
	executable, err := layerOf(file{"ecr-pull-secrets", content, 0o755})
	if err != nil {
		return nil, err
	}
	image := mutate.ConfigMediaType(mutate.MediaType(empty.Image, types.OCIManifestSchema1), types.OCIConfigJSON)
	image, err = mutate.ConfigFile(image, &v1.ConfigFile{
		OS: p.system, Architecture: p.architecture, RootFS: v1.RootFS{Type: "layers"},
		Config: v1.Config{
			User: user, Entrypoint: []string{"/ecr-pull-secrets"},
			Labels: map[string]string{"org.opencontainers.image.title": "ecr-pull-secrets", "org.opencontainers.image.version": version},
		},
	})
	if err != nil {
		return nil, err
	}
	return mutate.AppendLayers(image, certificates, executable)
}

// certificates returns the roots that browsers trust, from the Go project's module. It
// omits roots with limits that a PEM file cannot express.
func certificates() []byte {
	var all bytes.Buffer
	for root := range bundle.Roots() {
		if root.Constraint == nil {
			_ = pem.Encode(&all, &pem.Block{Type: "CERTIFICATE", Bytes: root.Certificate}) // writing to a buffer never fails
		}
	}
	return all.Bytes()
}

// file is a file of a layer, or a directory if its name ends with a slash.
type file struct {
	name    string
	content []byte
	mode    int64
}

func layerOf(files ...file) (v1.Layer, error) {
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, f := range files {
		if err := write(w, f); err != nil {
			return nil, err
		}
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return tarball.LayerFromOpener(func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(b.Bytes())), nil },
		tarball.WithMediaType(types.OCILayer))
}

// write writes a file with a fixed time, because its real time would change the
// bytes.
func write(w *tar.Writer, f file) error {
	header := &tar.Header{Name: f.name, Typeflag: tar.TypeReg, Mode: f.mode, Size: int64(len(f.content)), ModTime: time.Unix(0, 0)}
	if f.name[len(f.name)-1] == '/' {
		header.Typeflag, header.Mode = tar.TypeDir, 0o755
	}
	if err := w.WriteHeader(header); err != nil {
		return err
	}
	_, err := w.Write(f.content)
	return err
}
