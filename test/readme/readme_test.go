// Package readme_test keeps README.md true: it runs the sessions, loads the
// documents, and looks up the files, make targets and keys that it names.
package readme_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.yaml.in/yaml/v3"

	"ecr-cross-account-credential-provider/pkg/config"
	"ecr-cross-account-credential-provider/pkg/rule"
)

const root = "../.."

// scratch is a folder for what all tests share.
var scratch string

func TestMain(m *testing.M) { os.Exit(inScratch(m)) }

func inScratch(m *testing.M) int {
	dir, err := os.MkdirTemp("", "readme")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir) //nolint:errcheck // a temporary folder
	scratch = dir
	return m.Run()
}

func readme(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// block is a fenced block of the README.
type block struct {
	language string
	line     int // of its first line of text
	text     []string
}

// split takes the README apart: its blocks, and the prose between them.
func split(t *testing.T) (blocks []block, prose string) {
	t.Helper()
	var inside *block
	var between []string
	for i, line := range strings.Split(readme(t), "\n") {
		language, fence := strings.CutPrefix(line, "```")
		switch {
		case fence && inside == nil:
			inside = &block{language: language, line: i + 2}
		case fence:
			blocks, inside = append(blocks, *inside), nil
		case inside != nil:
			inside.text = append(inside.text, line)
		default:
			between = append(between, line)
		}
	}
	if inside != nil || len(blocks) == 0 {
		t.Fatal("README.md has a block that does not end, or none at all")
	}
	return blocks, strings.Join(between, "\n")
}

// TestDocuments: a configuration loads, any other document decodes.
func TestDocuments(t *testing.T) {
	t.Parallel()
	blocks, _ := split(t)
	for _, b := range blocks {
		switch b.language {
		case "console", "text":
			continue
		case "yaml", "json":
		default:
			t.Errorf("README.md:%d: a block of language %q; no test knows that", b.line, b.language)
			continue
		}
		text := strings.Join(b.text, "\n")
		var document map[string]any
		if err := yaml.Unmarshal([]byte(text), &document); err != nil || len(document) == 0 {
			t.Errorf("README.md:%d: no document: %v", b.line, err)
		}
		if document["kind"] != "CrossAccountConfig" {
			continue
		}
		for _, problem := range load(t, text) {
			t.Errorf("README.md:%d: %s: %s", b.line+problem.Line-1, problem.Path, problem.Message)
		}
	}
}

// load loads a configuration, and returns its problems.
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

// TestSessions runs each console block in a copy of the repository: each line
// after "$ ", with those after "> " that follow it, by a shell of its own. What
// it writes must be what the block shows; a line "..." stands for any lines.
func TestSessions(t *testing.T) {
	t.Parallel()
	blocks, _ := split(t)
	for _, b := range blocks {
		if b.language != "console" {
			continue
		}
		t.Run(fmt.Sprintf("line %d", b.line), func(t *testing.T) {
			t.Parallel()
			steps, err := b.steps()
			if err != nil {
				t.Fatal(err)
			}
			dir := t.TempDir()
			if err := copyTree(dir); err != nil {
				t.Fatal(err)
			}
			if !strings.HasPrefix(steps[0].command, "make ") {
				linkBinary(t, dir)
			}
			for _, s := range steps {
				s.run(t, dir)
			}
		})
	}
}

// step is a command of a session, and what it writes.
type step struct {
	line    int
	command string
	want    []string
}

func (b block) steps() ([]step, error) {
	var steps []step
	for i, line := range b.text {
		if command, ok := strings.CutPrefix(line, "$ "); ok {
			steps = append(steps, step{line: b.line + i, command: command})
			continue
		}
		if len(steps) == 0 {
			return nil, fmt.Errorf("README.md:%d: the session does not begin with a command", b.line)
		}
		last := &steps[len(steps)-1]
		if more, ok := strings.CutPrefix(line, "> "); ok && last.want == nil {
			last.command += "\n" + more
			continue
		}
		last.want = append(last.want, line)
	}
	if len(steps) == 0 {
		return nil, fmt.Errorf("README.md:%d: an empty session", b.line)
	}
	return steps, nil
}

func (s step) run(t *testing.T, dir string) {
	t.Helper()
	if strings.Contains(s.command, "make test") {
		t.Fatalf("README.md:%d: a session can't run the tests that it is part of", s.line)
	}
	out, err := shell(t.Context(), dir, s.command)
	if err != nil {
		t.Fatalf("README.md:%d: %s: %v\n%s", s.line, s.command, err, out)
	}
	var got []string
	if out != "" {
		got = strings.Split(strings.TrimSuffix(out, "\n"), "\n")
	}
	for i := range got {
		got[i] = strings.TrimRight(got[i], " ")
	}
	if !match(s.want, got) {
		t.Errorf("README.md:%d: %s\nwrites\n%s\nand README.md has\n%s", s.line, s.command, strings.Join(got, "\n"), strings.Join(s.want, "\n"))
	}
}

func match(want, got []string) bool {
	switch {
	case len(want) == 0:
		return len(got) == 0
	case want[0] == "...":
		return match(want[1:], got) || len(got) > 0 && match(want, got[1:])
	}
	return len(got) > 0 && want[0] == got[0] && match(want[1:], got[1:])
}

// shell runs a command as somebody would who has just cloned the repository.
func shell(ctx context.Context, dir, command string) (string, error) {
	env, err := environment()
	if err != nil {
		return "", err
	}
	cmd := exec.CommandContext(ctx, "sh", "-e", "-c", command)
	cmd.Dir, cmd.Env = dir, env
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// environment has an empty home, Go's caches, and nothing of AWS or of the make
// that may be running the tests.
var environment = sync.OnceValues(func() ([]string, error) {
	home := filepath.Join(scratch, "home")
	if err := os.MkdirAll(home, 0o755); err != nil {
		return nil, err
	}
	env := []string{"HOME=" + home}
	for _, variable := range os.Environ() {
		name, _, _ := strings.Cut(variable, "=")
		if name != "HOME" && name != "MFLAGS" && !strings.HasPrefix(name, "AWS_") && !strings.HasPrefix(name, "ECR_") && !strings.HasPrefix(name, "MAKE") {
			env = append(env, variable)
		}
	}
	for _, name := range []string{"GOENV", "GOPATH", "GOMODCACHE", "GOCACHE"} {
		value, err := exec.CommandContext(context.Background(), "go", "env", name).Output()
		if err != nil {
			return nil, fmt.Errorf("go env %s: %w", name, err)
		}
		env = append(env, name+"="+strings.TrimSpace(string(value)))
	}
	return env, nil
})

// copyTree copies the repository without what is built, and with the modes of a
// clone under umask 002: the plugin takes no configuration that group may write.
func copyTree(to string) error {
	return filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) { // somebody's temporary file
			return nil
		}
		if err != nil {
			return err
		}
		name, err := filepath.Rel(root, path)
		switch {
		case err != nil:
			return err
		case name == ".git" || name == "bin":
			if entry.IsDir() {
				return fs.SkipDir
			}
			return nil
		case entry.IsDir():
			return os.MkdirAll(filepath.Join(to, name), 0o755)
		case !entry.Type().IsRegular():
			return nil
		}
		return copyFile(path, filepath.Join(to, name), entry)
	})
}

func copyFile(from, to string, entry fs.DirEntry) error {
	info, err := entry.Info()
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	data, err := os.ReadFile(from)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	mode := 0o664 | info.Mode().Perm()&0o111
	if err := os.WriteFile(to, data, mode); err != nil {
		return err
	}
	return os.Chmod(to, mode) // the umask of the tests has no say
}

// built is the bin of a copy of the repository, made by make.
var built = sync.OnceValues(func() (string, error) {
	dir := filepath.Join(scratch, "built")
	if err := copyTree(dir); err != nil {
		return "", err
	}
	if out, err := shell(context.Background(), dir, "make build"); err != nil {
		return "", fmt.Errorf("make build: %w\n%s", err, out)
	}
	return filepath.Join(dir, "bin"), nil
})

func linkBinary(t *testing.T, dir string) {
	t.Helper()
	bin, err := built()
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(bin, filepath.Join(dir, "bin")); err != nil {
		t.Fatal(err)
	}
}

var (
	target    = regexp.MustCompile(`(?m)^([a-z][a-z0-9-]*):`)
	mentioned = regexp.MustCompile(`\bmake ([a-z][a-z0-9-]*)`)
)

// TestMakeTargets: the README names targets that are there, and leaves none out
// that make help does not list.
func TestMakeTargets(t *testing.T) {
	t.Parallel()
	makefile, err := os.ReadFile(filepath.Join(root, "Makefile"))
	if err != nil {
		t.Fatal(err)
	}
	help, err := shell(t.Context(), root, "make --no-print-directory help")
	if err != nil {
		t.Fatalf("make help: %v\n%s", err, help)
	}
	var inCode strings.Builder
	blocks, prose := split(t)
	for _, b := range blocks {
		if b.language == "console" {
			inCode.WriteString(strings.Join(b.text, "\n"))
		}
	}
	for _, quoted := range quotes.FindAllStringSubmatch(prose, -1) {
		inCode.WriteString("\n" + quoted[1])
	}
	targets := submatches(target, string(makefile))
	named := submatches(mentioned, inCode.String())
	for _, name := range append(named, "test", "demo") {
		if !slices.Contains(targets, name) {
			t.Errorf("README.md names make %s, which is not in the Makefile", name)
		}
	}
	listed := submatches(mentioned, help)
	for _, name := range targets {
		if !slices.Contains(named, name) && !slices.Contains(listed, name) {
			t.Errorf("make %s is neither in README.md nor listed by make help", name)
		}
	}
}

func submatches(r *regexp.Regexp, text string) []string {
	var found []string
	for _, m := range r.FindAllStringSubmatch(text, -1) {
		found = append(found, m[1])
	}
	return found
}

var (
	quotes  = regexp.MustCompile("`([^`\n]+)`")
	links   = regexp.MustCompile(`\]\(([^)\s]+)\)`)
	heading = regexp.MustCompile(`(?m)^#+ (.*)$`)
	dropped = regexp.MustCompile(`[^a-z0-9 _-]`)
)

// TestLinks: what relative links lead to is there.
func TestLinks(t *testing.T) {
	t.Parallel()
	_, prose := split(t)
	var anchors []string
	for _, text := range submatches(heading, prose) {
		anchors = append(anchors, strings.ReplaceAll(dropped.ReplaceAllString(strings.ToLower(text), ""), " ", "-"))
	}
	for _, link := range submatches(links, prose) {
		if strings.Contains(link, "://") {
			continue
		}
		file, anchor, hasAnchor := strings.Cut(link, "#")
		if _, err := os.Stat(filepath.Join(root, file)); err != nil {
			t.Errorf("README.md links to %s: %v", link, err)
		}
		if hasAnchor && file == "" && !slices.Contains(anchors, anchor) {
			t.Errorf("README.md links to %s; there are %q", link, anchors)
		}
	}
}

// TestPaths: every file that is named, in prose or in a block, is there.
func TestPaths(t *testing.T) {
	t.Parallel()
	entries, err := os.ReadDir(root)
	if err != nil {
		t.Fatal(err)
	}
	var folders []string
	for _, e := range entries {
		if e.IsDir() && e.Name() != "bin" && e.Name() != ".git" {
			folders = append(folders, regexp.QuoteMeta(e.Name()))
		}
	}
	path := regexp.MustCompile(`(?:file://|[^\w/.-])((?:` + strings.Join(folders, "|") + `)/[\w./-]*\w)`)
	found := submatches(path, readme(t))
	if len(found) == 0 {
		t.Error("README.md names no file; that can't be")
	}
	for _, name := range found {
		if _, err := os.Stat(filepath.Join(root, name)); err != nil {
			t.Errorf("README.md names %s: %v", name, err)
		}
	}
}

// TestKeys: the table of keys has those that the configuration's decoder takes,
// and no other.
func TestKeys(t *testing.T) {
	t.Parallel()
	table := reference(t)
	known := schema{}
	known.walk(t, "")
	for key, row := range table {
		if !slices.Contains(known.served, key) && !slices.Contains(known.containers, key) {
			t.Errorf("README.md has the key %s, which is not known", key)
		}
		if bold := strings.HasPrefix(row, "| **"); bold != slices.Contains(known.required, key) {
			t.Errorf("README.md has %s in bold: %t; the key is required: %t", key, bold, !bold)
		}
	}
	for _, key := range known.served {
		if _, ok := table[key]; !ok {
			t.Errorf("README.md leaves out the key %s", key)
		}
	}
}

// TestLimits: the table has the defaults and limits of the code.
func TestLimits(t *testing.T) {
	t.Parallel()
	table := reference(t)
	for key, limits := range map[string][]time.Duration{
		"deadline":                            {config.DefaultDeadline, config.MinDeadline, config.MaxDeadline},
		"registries[].assumeRoles[].duration": {rule.DefaultDuration, rule.MinDuration, rule.MaxDuration, rule.MaxChainedDuration},
	} {
		for _, d := range limits {
			if !regexp.MustCompile(`\b` + short(d) + `\b`).MatchString(table[key]) {
				t.Errorf("README.md does not say %s of %s: %s", short(d), key, table[key])
			}
		}
	}
}

// short is a duration without the zeros that time.Duration prints: 1h, not 1h0m0s.
func short(d time.Duration) string {
	s := d.String()
	for _, zeros := range []string{"m0s", "h0m"} {
		if strings.HasSuffix(s, zeros) {
			s = s[:len(s)-2]
		}
	}
	return s
}

// reference is the README's table of keys, row by key.
func reference(t *testing.T) map[string]string {
	t.Helper()
	_, section, ok := strings.Cut(readme(t), "\n### Keys\n")
	if !ok {
		t.Fatal("README.md has no section Keys")
	}
	section, _, _ = strings.Cut(section, "\n### ")
	table := map[string]string{}
	for line := range strings.Lines(section) {
		if row, ok := strings.CutPrefix(line, "| "); ok {
			first, _, _ := strings.Cut(row, " | ")
			for _, key := range submatches(quotes, first) {
				table[key] = line
			}
		}
	}
	if len(table) == 0 {
		t.Fatal("README.md has no table of keys")
	}
	return table
}

// schema is what the decoder says of itself: a key that nobody knows, put at
// each place of a document, has it name those that it does. Keys are paths such
// as registries[].accounts.
type schema struct {
	served, containers, required []string
}

func (s *schema) walk(t *testing.T, above string) {
	t.Helper()
	for _, problem := range load(t, document(above+unknown, "x")) {
		if key := pathOf(problem); strings.HasPrefix(problem.Message, "is required") && !slices.Contains(s.required, key) {
			s.required = append(s.required, key)
		}
	}
	for _, name := range knownAt(t, above) {
		key := above + name
		switch {
		case knownAt(t, key+".") != nil:
			s.containers = append(s.containers, key)
			s.walk(t, key+".")
		case knownAt(t, key+"[].") != nil:
			s.containers = append(s.containers, key)
			s.walk(t, key+"[].")
		default:
			s.served = append(s.served, key)
		}
	}
}

const unknown = "zzzzzzzzzzzzzzzz" // unlike any key, so that none is suggested

func knownAt(t *testing.T, above string) []string {
	t.Helper()
	for _, problem := range load(t, document(above+unknown, "x")) {
		list, ok := strings.CutPrefix(problem.Message, "unknown field; want ")
		if ok && pathOf(problem) == above+unknown {
			return strings.Split(strings.ReplaceAll(list, " or ", ", "), ", ")
		}
	}
	if above == "" {
		t.Fatal("the decoder's message about an unknown key has changed")
	}
	return nil
}

// document is a YAML document with a value for one key, and with what must stand
// beside it.
func document(key, value string) string {
	parts := strings.Split(key, ".")
	for i, part := range slices.Backward(parts) {
		list := strings.TrimSuffix(part, "[]")
		switch {
		case part == "serviceAccount":
			value = fmt.Sprintf("{source: ServiceAccount, %s: %s}", part, value)
		case i < len(parts)-1 && list != part:
			value = fmt.Sprintf("{%s: [%s]}", list, value)
		default:
			value = fmt.Sprintf("{%s: %s}", part, value)
		}
	}
	return value
}

var index = regexp.MustCompile(`\[\d+\]`)

func pathOf(p config.Problem) string { return index.ReplaceAllString(p.Path, "[]") }
