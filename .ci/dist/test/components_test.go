package release_test

import (
	"bytes"
	"crypto/sha256"
	"debug/buildinfo"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	cdx "github.com/CycloneDX/cyclonedx-go"
)

// TestComponents: each artifact has a list of its components beside it. The list has
// the artifact's checksum, and exactly the modules that the programs link.
func TestComponents(t *testing.T) {
	t.Parallel()
	r := get(t, first)
	artifacts := 0
	for _, artifact := range files(t, r.dist) {
		if strings.HasSuffix(artifact, ".cdx.json") || strings.HasSuffix(artifact, ".sha256") || artifact == "SHA256SUMS" {
			continue
		}
		artifacts++
		bom := cdx.BOM{}
		if err := cdx.NewBOMDecoder(bytes.NewReader(read(t, r, artifact+".cdx.json")), cdx.BOMFileFormatJSON).Decode(&bom); err != nil {
			t.Fatalf("%s: %v", artifact, err)
		}
		if bom.SerialNumber != "" || bom.Metadata.Timestamp != r.date {
			t.Errorf("%s: got serial number %q, time %s; want none, %s", artifact, bom.SerialNumber, bom.Metadata.Timestamp, r.date)
		}
		want := fmt.Sprintf("%x", sha256.Sum256(read(t, r, artifact)))
		if hashes := *bom.Metadata.Component.Hashes; len(hashes) != 1 || hashes[0].Value != want {
			t.Errorf("%s: got %v, want %s", artifact, hashes, want)
		}
		if got, want := libraries(bom), r.linked(t, artifact); !slices.Equal(got, want) {
			t.Errorf("%s: got components\n%q\nwant\n%q", artifact, got, want)
		}
		checkReferences(t, artifact, bom)
	}
	if artifacts != 16 {
		t.Errorf("got %d artifacts, want 16", artifacts)
	}
}

// libraries returns the modules of a list, sorted.
func libraries(bom cdx.BOM) (found []string) {
	for _, c := range *bom.Components {
		if c.Type == cdx.ComponentTypeLibrary && c.Name != "std" {
			found = append(found, c.Name+" "+c.Version)
		}
	}
	slices.Sort(found)
	return found
}

// linked returns the modules that the programs of an artifact link. It reads them from
// the bare programs of the artifact's platform.
func (r release) linked(t *testing.T, artifact string) (found []string) {
	t.Helper()
	programs := []string{name, "ecr-cross-account"}
	if strings.Contains(artifact, "/") {
		base, _, _ := strings.Cut(artifact[strings.LastIndex(artifact, "/")+1:], "-"+strings.Split(artifact, "/")[0])
		programs = []string{base}
	}
	platform := "linux/amd64"
	switch {
	case strings.Contains(artifact, "windows"):
		platform = "windows/amd64"
	case strings.Contains(artifact, "arm64"), strings.Contains(artifact, "aarch64"):
		platform = "linux/arm64"
	}
	for _, program := range programs {
		path := r.file(t, platform+"/"+program+"-"+strings.ReplaceAll(platform, "/", "-")+map[bool]string{true: ".exe"}[platform == "windows/amd64"])
		info, err := buildinfo.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range info.Deps {
			found = append(found, d.Path+" "+d.Version)
		}
	}
	slices.Sort(found)
	return slices.Compact(found)
}

// checkReferences checks that a list has every component exactly once. Every reference
// must have a component, and every component a reference.
func checkReferences(t *testing.T, artifact string, bom cdx.BOM) {
	t.Helper()
	known, used := map[string]int{bom.Metadata.Component.BOMRef: 1}, map[string]bool{bom.Metadata.Component.BOMRef: true}
	for _, c := range *bom.Components {
		known[c.BOMRef]++
	}
	for _, d := range *bom.Dependencies {
		used[d.Ref] = true
		for _, ref := range *d.Dependencies {
			used[ref] = true
		}
	}
	for ref, n := range known {
		if n != 1 || !used[ref] {
			t.Errorf("%s: got %s %d times, used: %t; want it once and used", artifact, ref, n, used[ref])
		}
	}
	for ref := range used {
		if known[ref] == 0 {
			t.Errorf("%s: got no component %s, want one", artifact, ref)
		}
	}
}

// TestStatic: the programs for Linux need no shared library.
func TestStatic(t *testing.T) {
	t.Parallel()
	r := get(t, first)
	for _, architecture := range []string{"amd64", "arm64"} {
		for _, program := range []string{name, "ecr-cross-account"} {
			path := r.file(t, fmt.Sprintf("linux/%[1]s/%[2]s-linux-%[1]s", architecture, program))
			if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o755 {
				t.Errorf("%s: got %v, error %v; want mode 0755", path, info, err)
			}
			wantStatic(t, path)
		}
	}
}
