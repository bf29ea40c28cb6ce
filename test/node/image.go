package main

import (
	"archive/tar"
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/google/go-containerregistry/pkg/registry"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
)

// baker makes images. Each image has the program pause and a unique file. So no image
// is on the node before the node pulls it.
type baker struct{ program v1.Layer }

func newBaker() (baker, error) {
	program, err := os.ReadFile(filepath.Join(binDir, "pause"))
	if err != nil {
		return baker{}, err
	}
	layer, err := layerOf("pause", program, 0o755)
	return baker{layer}, err
}

// bake makes the image with a name.
func (b baker) bake(name string) (v1.Image, error) {
	label, err := layerOf("name", []byte(name), 0o644)
	if err != nil {
		return nil, err
	}
	image, err := mutate.ConfigFile(empty.Image, &v1.ConfigFile{
		OS: "linux", Architecture: runtime.GOARCH, RootFS: v1.RootFS{Type: "layers"},
		Config: v1.Config{Entrypoint: []string{"/pause"}},
	})
	if err != nil {
		return nil, err
	}
	return mutate.AppendLayers(image, b.program, label)
}

func layerOf(path string, content []byte, mode int64) (v1.Layer, error) {
	var archive bytes.Buffer
	w := tar.NewWriter(&archive)
	if err := w.WriteHeader(&tar.Header{Name: path, Mode: mode, Size: int64(len(content))}); err != nil {
		return nil, err
	}
	if _, err := w.Write(content); err != nil {
		return nil, err
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return tarball.LayerFromOpener(func() (io.ReadCloser, error) {
		return io.NopCloser(bytes.NewReader(archive.Bytes())), nil
	}, tarball.WithCompressedCaching)
}

// push puts an image into its registry, without authorization.
func (r *registries) push(ctx context.Context, b baker, name string) error {
	image, err := b.bake(name)
	if err != nil {
		return err
	}
	host, rest, _ := strings.Cut(name, "/")
	repository, tag, _ := strings.Cut(rest, ":")
	to := r.at(host)
	if err := to.putBlobs(ctx, repository, image); err != nil {
		return err
	}
	manifest, err := image.RawManifest()
	if err != nil {
		return err
	}
	kind, err := image.MediaType()
	if err != nil {
		return err
	}
	put := httptest.NewRequestWithContext(ctx, http.MethodPut, "/v2/"+repository+"/manifests/"+tag, bytes.NewReader(manifest))
	put.Header.Set("Content-Type", string(kind))
	answer := httptest.NewRecorder()
	to.ServeHTTP(answer, put)
	if answer.Code != http.StatusCreated {
		return fmt.Errorf("pushing %s: %d %s", name, answer.Code, answer.Body)
	}
	return nil
}

func (c *contents) putBlobs(ctx context.Context, repository string, image v1.Image) error {
	layers, err := image.Layers()
	if err != nil {
		return err
	}
	put := func(hash v1.Hash, content io.ReadCloser) error {
		return c.blobs.(registry.BlobPutHandler).Put(ctx, repository, hash, content)
	}
	for _, layer := range layers {
		hash, err := layer.Digest()
		if err != nil {
			return err
		}
		content, err := layer.Compressed()
		if err != nil {
			return err
		}
		if err := put(hash, content); err != nil {
			return err
		}
	}
	config, err := image.RawConfigFile()
	if err != nil {
		return err
	}
	hash, err := image.ConfigName()
	if err != nil {
		return err
	}
	return put(hash, io.NopCloser(bytes.NewReader(config)))
}
