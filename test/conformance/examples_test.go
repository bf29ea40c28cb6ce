package conformance

import (
	"path/filepath"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

const unknownField = `unknown field "providers[0].`

// TestExamples: the loader of each kubelet accepts the CredentialProviderConfigs of
// config-examples that are for its release.
func TestExamples(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("../../config-examples/kubelet/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatalf("no examples: %v", err)
	}
	for _, r := range releases {
		for _, file := range files {
			text := readFile(t, file)
			if strings.Contains(text, "tokenAttributes:") && !r.serviceAccounts {
				continue // not for this kubelet; TestLoader shows that it is refused
			}
			t.Run(r.version+" "+filepath.Base(file), func(t *testing.T) {
				t.Parallel()
				r.load(t, text, "")
			})
		}
	}
}

// TestLoader: the loader that TestExamples uses refuses wrong files.
func TestLoader(t *testing.T) {
	t.Parallel()
	text := readFile(t, "../../config-examples/kubelet/beside-the-stock-provider.yaml")
	for _, r := range releases {
		t.Run(r.version, func(t *testing.T) {
			t.Parallel()
			r.load(t, strings.ReplaceAll(text, "matchImages", "matchImage"), unknownField+`matchImage"`)
			wrong := ""
			if !r.serviceAccounts {
				wrong = unknownField + `tokenAttributes"`
			}
			r.load(t, text+tokenAttributes("ServiceAccount", optional, true), wrong)
		})
	}
}

// load starts a kubelet with a CredentialProviderConfig and installs all the providers
// that it names. If wrong is not empty, the kubelet must refuse the file with an error
// that contains wrong.
func (r release) load(t *testing.T, text, wrong string) {
	t.Helper()
	var config struct{ Providers []struct{ Name string } }
	if err := yaml.Unmarshal([]byte(text), &config); err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, p := range config.Providers {
		names = append(names, p.Name)
	}
	node := install(t, names...)
	path := node.path("providers.yaml")
	writeFile(t, path, text, 0o644)
	_, log, err := r.run(t, kubelet{Config: path, BinDir: node.dir}, nil)
	if (err != nil) != (wrong != "") || !strings.Contains(log, wrong) {
		t.Errorf("%v: %s; want %q", err, log, wrong)
	}
}
