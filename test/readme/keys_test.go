package readme_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"ecr-cross-account-credential-provider/pkg/config"
	"ecr-cross-account-credential-provider/pkg/config/schema"
	"ecr-cross-account-credential-provider/pkg/rule"
)

const keysPage = "config-examples/README.md"

// TestKeys: the table of keys is the table that the code generates. With -update it
// writes the table.
func TestKeys(t *testing.T) {
	t.Parallel()
	source, err := os.ReadFile(filepath.Join(root, "pkg/config/document.go"))
	if err != nil {
		t.Fatal(err)
	}
	keys, err := schema.Keys(source)
	if err != nil {
		t.Fatal(err)
	}
	generated(t, keysPage, "keys", schema.Table(keys))
}

// generated checks that the part of a page between two comments is the wanted text.
// With -update it writes that part.
func generated(t *testing.T, name, part, want string) {
	t.Helper()
	begin, end := "<!-- "+part+": written by make generate -->\n", "<!-- end of "+part+" -->\n"
	text := readPage(t, name).text
	before, rest, ok := strings.Cut(text, begin)
	got, after, ended := strings.Cut(rest, end)
	switch {
	case !ok || !ended:
		t.Errorf("%s does not have the part %s", name, part)
	case got == want:
	case *update:
		if err := os.WriteFile(filepath.Join(root, name), []byte(before+begin+want+end+after), 0o644); err != nil {
			t.Fatal(err)
		}
	default:
		t.Errorf("%s: the %s differ from the code; run: make generate", name, part)
	}
}

// TestLimitsOfKeys: the table has the defaults and limits of the code.
func TestLimitsOfKeys(t *testing.T) {
	t.Parallel()
	table := map[string]string{}
	for line := range strings.Lines(readPage(t, keysPage).text) {
		if key := regexp.MustCompile("^\\| \\**`([^`]+)`").FindStringSubmatch(line); key != nil {
			table[key[1]] = line
		}
	}
	for key, limits := range map[string][]time.Duration{
		"deadline":                            {config.DefaultDeadline, config.MinDeadline, config.MaxDeadline},
		"registries[].assumeRoles[].duration": {rule.DefaultDuration, rule.MinDuration, rule.MaxDuration, rule.MaxChainedDuration},
	} {
		for _, d := range limits {
			if !regexp.MustCompile(`\b` + rule.ShortDuration(d) + `\b`).MatchString(table[key]) {
				t.Errorf("%s does not have %s of %s: %s", keysPage, rule.ShortDuration(d), key, table[key])
			}
		}
	}
}
