package readme_test

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"ecr-cross-account-credential-provider/pkg/config"
)

// TestDocuments: each configuration loads, and each other document decodes.
func TestDocuments(t *testing.T) {
	t.Parallel()
	for _, p := range pages(t) {
		for _, b := range p.blocks {
			switch b.language {
			case "console", "text":
			case "sh": // no test can run these commands, for example commands for a cluster; bash checks their syntax
				if out, err := exec.CommandContext(t.Context(), "bash", "-n", "-c", strings.Join(b.text, "\n")).CombinedOutput(); err != nil {
					t.Errorf("%s: %v\n%s", b.where(0), err, out)
				}
			case "yaml", "json":
				checkDocument(t, b)
			case "ini": // a profile of the AWS SDK; the tests in config-examples compare it with user data
			case "hcl":
				checkExcerpt(t, b)
			default:
				t.Errorf("%s: a block of language %q, which no test knows", b.where(0), b.language)
			}
		}
	}
}

// checkExcerpt checks that the block is a part of a file beside the page, apart from
// indentation. test/terraform parses those files.
func checkExcerpt(t *testing.T, b block) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(root, filepath.Dir(b.page), "*.*"))
	if err != nil {
		t.Fatal(err)
	}
	want := unindented(strings.Join(b.text, "\n"))
	for _, file := range files {
		if ext := filepath.Ext(file); ext != ".tf" && ext != ".hcl" {
			continue
		}
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(unindented(string(text)), strings.TrimSuffix(want, "}")) {
			return
		}
	}
	t.Errorf("%s: no file beside the page has these lines", b.where(0))
}

func unindented(text string) string { return regexp.MustCompile(`(?m)^ +`).ReplaceAllString(text, "") }

func checkDocument(t *testing.T, b block) {
	t.Helper()
	text := strings.Join(b.text, "\n")
	var document map[string]any
	if err := yaml.Unmarshal([]byte(text), &document); err != nil || len(document) == 0 {
		t.Errorf("%s: want a document that is not empty: %v", b.where(0), err)
	}
	if document["kind"] != "CrossAccountConfig" {
		return
	}
	for _, problem := range load(t, text) {
		t.Errorf("%s: %s: %s", b.where(problem.Line-1), problem.Path, problem.Message)
	}
}

// load loads a configuration, and returns the problems in it.
func load(t *testing.T, text string) config.Problems {
	t.Helper()
	file := filepath.Join(t.TempDir(), "config.yaml")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := config.Load(file, nil)
	var problems config.Problems
	if err != nil && !errors.As(err, &problems) {
		t.Fatal(err)
	}
	return problems
}

// TestExamplesFirst: each page of config-examples begins with an example.
func TestExamplesFirst(t *testing.T) {
	t.Parallel()
	first := regexp.MustCompile("^# .*\n\n(```|[^\n#].*\n\n```)")
	for _, p := range pages(t) {
		generated := strings.Contains(p.name, "MESSAGES")
		if strings.HasPrefix(p.name, "config-examples/") && !generated && !first.MatchString(p.text) {
			t.Errorf("%s does not begin with an example", p.name)
		}
	}
}
