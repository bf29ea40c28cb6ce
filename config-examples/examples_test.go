// Package examples_test tests the examples in this directory.
package examples_test

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

const (
	nodeAccount = "111122223333"
	program     = "ecr-cross-account-credential-provider"

	// schema is the JSON schema of the configurations. pkg/config/schema writes it,
	// and test/schema validates the configurations against it.
	schema = "schema.json"
	// picture is the picture in README.md.
	picture = "flow.svg"
)

// units are systemd units; see TestUnits.
var units = []string{"systemd/ecr-cross-account-refresh-boot.timer", "systemd/ecr-cross-account-refresh.service", "systemd/ecr-cross-account-refresh.timer"}

// TestEveryFileIsKnown: every example has a test. test/readme tests the pages.
func TestEveryFileIsKnown(t *testing.T) {
	t.Parallel()
	known := []string{picture, schema, beside, besideOlder, instead, podKubelet, podManifest, audienceManifest, mirrorKubelet, mirrorHosts}
	known = append(slices.Concat(known, units, platformFiles), "prometheus/rules.yaml") // test/metrics reads the rules
	known = slices.AppendSeq(known, maps.Keys(configurations))
	known = slices.AppendSeq(known, maps.Keys(policies))
	slices.Sort(known)
	var found []string
	err := fs.WalkDir(os.DirFS("."), ".", func(name string, d fs.DirEntry, err error) error {
		if ext := path.Ext(name); err == nil && !d.IsDir() && ext != ".md" && !strings.HasSuffix(name, "_test.go") {
			found = append(found, name)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(found)
	if !slices.Equal(found, known) {
		t.Errorf("got the files %q; want those with a test, %q", found, known)
	}
}

// TestEveryFileSaysWhatItIs: each file starts with a comment. JSON has no comments,
// so iam/README.md describes those files.
func TestEveryFileSaysWhatItIs(t *testing.T) {
	t.Parallel()
	for _, file := range slices.AppendSeq([]string{
		beside, besideOlder, instead, podKubelet, podManifest, audienceManifest, mirrorKubelet, mirrorHosts,
		karpenter, clusterAPI, kops, talos, bottlerocket,
	}, maps.Keys(configurations)) {
		if lines := strings.SplitN(read(t, file), "\n", 3); !strings.HasPrefix(lines[0], "# ") || !strings.HasPrefix(lines[1], "# ") {
			t.Errorf("%s: got no comment of two lines at the start", file)
		}
	}
	for file := range configurations {
		if !strings.Contains(read(t, file), "\n# yaml-language-server: $schema="+schema+"\n") {
			t.Errorf("%s: got no comment that names %s for editors", file, schema)
		}
	}
	table := read(t, "iam/README.md")
	for file, policy := range policies {
		name := path.Base(file)
		row := fmt.Sprintf("\n| [%s](%s) | %s | ", name, name, policy.attachedIn)
		if strings.Count(table, row) != 1 {
			t.Errorf("iam/README.md: want one row that starts with %q", row)
		}
	}
}

// body returns a file without the comment at its start.
func body(content string) string {
	for strings.HasPrefix(content, "#") {
		_, content, _ = strings.Cut(content, "\n")
	}
	return content
}

// decode decodes exactly these YAML documents, without unknown fields.
func decode(t *testing.T, content string, documents ...any) {
	t.Helper()
	decoder := yaml.NewDecoder(strings.NewReader(content))
	decoder.KnownFields(true)
	for _, document := range documents {
		if err := decoder.Decode(document); err != nil {
			t.Fatal(err)
		}
	}
	if err := decoder.Decode(new(yaml.Node)); !errors.Is(err, io.EOF) {
		t.Fatalf("after %d documents: got %v; want the end", len(documents), err)
	}
}

func read(t *testing.T, file string) string {
	t.Helper()
	content, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}
