package conformance

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestExamples: the kubelet's own loader takes every CredentialProviderConfig of
// config-examples, and would run the plugin.
func TestExamples(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("../../config-examples/kubelet/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatalf("no examples: %v", err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			t.Parallel()
			node := install(t, name, "ecr-credential-provider", "aws-"+name)
			path, err := filepath.Abs(file)
			if err != nil {
				t.Fatal(err)
			}
			if _, log, err := (kubelet{Config: path, BinDir: node.dir}).run(t, nil); err != nil {
				t.Errorf("%v: %s", err, log)
			}
		})
	}
}

// TestLoader: the witness of TestExamples does refuse what is wrong.
func TestLoader(t *testing.T) {
	t.Parallel()
	node := install(t, name)
	text, err := os.ReadFile("../../config-examples/kubelet/beside-the-stock-provider.yaml")
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(node.dir, "providers.yaml")
	writeFile(t, path, strings.ReplaceAll(string(text), "matchImages", "matchImage"), 0o644)
	if _, log, err := (kubelet{Config: path, BinDir: node.dir}).run(t, nil); err == nil || !strings.Contains(log, "matchImage") {
		t.Errorf("the kubelet takes a provider without matchImages: %v, %s", err, log)
	}
}
