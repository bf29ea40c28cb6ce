package fakeaws

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"io"
	"strings"
	"testing"
	"time"
)

// TestImage: an image has the form that a runtime expects. Each descriptor's blob
// exists. Each unpacked layer has the digest that the configuration names.
func TestImage(t *testing.T) {
	t.Parallel()
	for region, suffix := range map[string]string{"eu-west-1": "amazonaws.com", "ap-southeast-5": "amazonaws.com", "cn-north-1": "amazonaws.com.cn"} {
		t.Run(region, func(t *testing.T) {
			t.Parallel()
			w := ExampleWorld()
			app := Repository{FirstAccount, region, "team-a/app"}
			w.SetRole(Role{ARN: firstRole, Pull: []string{app.ARN()}})
			w.PutImage(app, "v1", []byte("one"), []byte("two"))
			s := start(t, w, Options{TLS: true})
			client := throughProxy(t, s)
			token := w.mint(Grant{Principal: sessionARN(firstRole, "i-0"), Role: firstRole, Region: region, Expires: time.Now().Add(time.Hour)})
			base := "https://" + FirstAccount + ".dkr.ecr." + region + "." + suffix + "/v2/team-a/app/"
			blob := func(d descriptor) []byte {
				content, ok := strings.CutPrefix(askRegistry(t, client, "GET", askRegistry(t, client, "GET", base+"blobs/"+d.Digest, token), ""), "200 OK ")
				if !ok || len(content) != d.Size || contentDigest([]byte(content)) != d.Digest {
					t.Fatalf("%+v is %q", d, content)
				}
				return []byte(content)
			}
			var manifest struct {
				Config descriptor
				Layers []descriptor
			}
			text, _ := strings.CutPrefix(askRegistry(t, client, "GET", base+"manifests/v1", token), "200 OK ")
			if err := json.Unmarshal([]byte(text), &manifest); err != nil || len(manifest.Layers) != 2 {
				t.Fatalf("%s: %v", text, err)
			}
			var config struct {
				RootFS struct {
					DiffIDs []string `json:"diff_ids"`
				}
			}
			if err := json.Unmarshal(blob(manifest.Config), &config); err != nil {
				t.Fatal(err)
			}
			for i, want := range []string{"one", "two"} {
				if got := unpack(t, blob(manifest.Layers[i]), config.RootFS.DiffIDs[i]); got != want {
					t.Errorf("layer %d holds %q, want %q", i, got, want)
				}
			}
		})
	}
}

// unpack returns the content of a layer's only file.
func unpack(t *testing.T, layer []byte, diffID string) string {
	t.Helper()
	z, err := gzip.NewReader(bytes.NewReader(layer))
	if err != nil {
		t.Fatal(err)
	}
	archive, err := io.ReadAll(z)
	if err != nil || contentDigest(archive) != diffID {
		t.Fatalf("unpacked %s, want %s; %v", contentDigest(archive), diffID, err)
	}
	r := tar.NewReader(bytes.NewReader(archive))
	if _, err := r.Next(); err != nil {
		t.Fatal(err)
	}
	file, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return string(file)
}
