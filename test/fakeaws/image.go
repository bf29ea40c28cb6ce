package fakeaws

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"maps"
)

// descriptor names a blob in a manifest (OCI image specification).
type descriptor struct {
	MediaType string `json:"mediaType"`
	Digest    string `json:"digest"`
	Size      int    `json:"size"`
}

// Push puts an image without layers into a repository, under the given tags. It returns
// the digest of the image's configuration.
func (w *World) Push(to Repository, tags ...string) (config string) {
	return w.putImage(to, tags, nil)
}

// PutImage puts an image into a repository, under a tag. It returns the digest of the
// image's configuration. Each layer contains one file with the given content.
func (w *World) PutImage(to Repository, tag string, layers ...[]byte) (config string) {
	return w.putImage(to, []string{tag}, layers)
}

func (w *World) putImage(to Repository, tags []string, layers [][]byte) string {
	const mediaType = "application/vnd.oci.image."
	descriptors, diffIDs := []descriptor{}, []string{}
	blobs := map[string][]byte{}
	add := func(kind string, content []byte) descriptor {
		d := descriptor{mediaType + kind, contentDigest(content), len(content)}
		blobs[d.Digest] = content
		return d
	}
	for _, layer := range layers {
		archive := archived(layer)
		diffIDs = append(diffIDs, contentDigest(archive))
		descriptors = append(descriptors, add("layer.v1.tar+gzip", compressed(archive)))
	}
	config := add("config.v1+json", []byte(MustJSON(map[string]any{
		"architecture": "amd64", "os": "linux", "rootfs": map[string]any{"type": "layers", "diff_ids": diffIDs},
	})))
	manifest := []byte(MustJSON(map[string]any{
		"schemaVersion": 2, "mediaType": mediaType + "manifest.v1+json", "config": config, "layers": descriptors,
	}))
	for _, reference := range append(tags, contentDigest(manifest)) {
		blobs[reference] = manifest
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.images[to] == nil {
		w.images[to] = map[string][]byte{}
	}
	maps.Copy(w.images[to], blobs)
	return config.Digest
}

// archived returns a tar archive of one file.
func archived(file []byte) []byte {
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	_ = w.WriteHeader(&tar.Header{Name: "layer", Mode: 0o644, Size: int64(len(file))}) // writing to memory cannot fail
	_, _ = w.Write(file)
	_ = w.Close()
	return b.Bytes()
}

func compressed(content []byte) []byte {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_, _ = w.Write(content)
	_ = w.Close()
	return b.Bytes()
}

// content returns the content that a repository has under a tag or digest.
func (w *World) content(of Repository, reference string) (content []byte, repositoryExists bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	repository, ok := w.images[of]
	return repository[reference], ok
}

// blob returns a blob of any repository.
func (w *World) blob(digest string) []byte {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, repository := range w.images {
		if content, ok := repository[digest]; ok {
			return content
		}
	}
	return nil
}

func contentDigest(content []byte) string {
	sum := sha256.Sum256(content)
	return "sha256:" + hex.EncodeToString(sum[:])
}
