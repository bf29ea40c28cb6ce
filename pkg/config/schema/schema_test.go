package schema_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"strings"
	"testing"

	"ecr-cross-account-credential-provider/pkg/config/schema"
)

var update = flag.Bool("update", false, "write config-examples/schema.json")

const (
	document  = "../document.go"
	committed = "../../../config-examples/schema.json"
)

func read(t *testing.T, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return bytes.ReplaceAll(data, []byte("\r\n"), []byte("\n"))
}

// TestCommitted: the schema in config-examples is the one that the code generates.
func TestCommitted(t *testing.T) {
	t.Parallel()
	got, err := schema.JSON(read(t, document))
	if err != nil {
		t.Fatal(err)
	}
	if *update {
		if err := os.WriteFile(committed, got, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if want := read(t, committed); !bytes.Equal(got, want) {
		t.Errorf("config-examples/schema.json is not the schema of pkg/config/document.go; run: make generate")
	}
	if !json.Valid(got) {
		t.Error("got a schema that is not JSON")
	}
}

// TestDescriptions: each key has a description in plain text and short sentences.
func TestDescriptions(t *testing.T) {
	t.Parallel()
	keys, err := schema.Keys(read(t, document))
	if err != nil {
		t.Fatal(err)
	}
	if len(keys) < 30 {
		t.Errorf("got %d keys, want at least 30", len(keys))
	}
	for _, k := range keys {
		if k.Description == "" || !strings.HasSuffix(k.Description, ".") {
			t.Errorf("%s: got description %q, want sentences", k.Path, k.Description)
		}
		for sentence := range strings.SplitSeq(k.Description, ". ") {
			if n := len(strings.Fields(sentence)); n > 25 {
				t.Errorf("%s: got a sentence of %d words, want at most 25: %s", k.Path, n, sentence)
			}
		}
		if k.Required && k.Default != "" {
			t.Errorf("%s: got default %[2]s of a required key, want none", k.Path, k.Default)
		}
		if leaf := !strings.HasPrefix(k.Type, "mapping") && k.Type != "list"; leaf && !k.Required && k.Default == "" {
			t.Errorf("%s: got no default, want a default or what happens without the key", k.Path)
		}
	}
}

func TestTable(t *testing.T) {
	t.Parallel()
	source := `package config
type Document struct {
	// The accounts,
	// or nothing.
	Accounts []string ` + "`" + `yaml:"accounts" required:"yes"` + "`" + `
	// How long.
	Deadline string ` + "`" + `yaml:"deadline" default:"20s"` + "`" + `
	// The parts.
	Parts []Part ` + "`" + `yaml:"parts" absent:"none"` + "`" + `
}
type Part struct {
	// Tags | labels.
	Tags Pairs ` + "`" + `yaml:"tags" absent:"none"` + "`" + `
}
`
	keys, err := schema.Keys([]byte(source))
	if err != nil {
		t.Fatal(err)
	}
	want := "| key | type | default | description |\n|---|---|---|---|\n" +
		"| **`accounts`** | list of strings |  | The accounts, or nothing. |\n" +
		"| `deadline` | string | `20s` | How long. |\n" +
		"| `parts` | list | none | The parts. |\n" +
		"| `parts[].tags` | mapping of strings | none | Tags \\| labels. |\n"
	if got := schema.Table(keys); got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
}

func TestBadSource(t *testing.T) {
	t.Parallel()
	for name, source := range map[string]string{
		"not Go":          "package",
		"no Document":     "package config",
		"another type":    "package config\ntype Document struct {\n\t// X.\n\tX map[string]string `yaml:\"x\"`\n}",
		"an unknown form": "package config\ntype Document struct {\n\t// X.\n\tX string `yaml:\"x\" pattern:\"[\"`\n}",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if _, err := schema.JSON([]byte(source)); err == nil {
				t.Error("got no error, want one")
			}
		})
	}
}
