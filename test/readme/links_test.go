package readme_test

import (
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

var (
	target    = regexp.MustCompile(`(?m)^([a-z][a-z0-9-]*):`)
	mentioned = regexp.MustCompile(`\bmake ([a-z][a-z0-9-]*)`)
)

// TestMakeTargets: the targets that pages name exist. Every target is named by a page
// or by `make help`.
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
	targets := submatches(target, string(makefile))
	var named []string
	for _, p := range pages(t) {
		if p.name == messagesPage { // "make" is a verb there
			continue
		}
		for _, name := range submatches(mentioned, p.code()) {
			if !slices.Contains(targets, name) {
				t.Errorf("%s names make %s, which is not in the Makefile", p.name, name)
			}
			named = append(named, name)
		}
	}
	if len(named) == 0 {
		t.Error("no page names a target")
	}
	listed := submatches(mentioned, help)
	for _, name := range targets {
		if !slices.Contains(named, name) && !slices.Contains(listed, name) {
			t.Errorf("make %s is on no page and not listed by make help", name)
		}
	}
}

// code returns the text of the page's sessions and code quotes.
func (p page) code() string {
	var s strings.Builder
	for _, b := range p.blocks {
		if b.language == "console" {
			s.WriteString(strings.Join(b.text, "\n") + "\n")
		}
	}
	s.WriteString(strings.Join(submatches(quotes, p.prose), "\n"))
	return s.String()
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

// TestLinks: the targets of relative links exist, including their headings.
func TestLinks(t *testing.T) {
	t.Parallel()
	anchors := map[string][]string{}
	all := pages(t)
	for _, p := range all {
		for _, text := range submatches(heading, p.prose) {
			anchors[p.name] = append(anchors[p.name], anchorOf(text))
		}
	}
	for _, p := range all {
		for _, link := range submatches(links, p.prose) {
			if strings.Contains(link, "://") {
				continue
			}
			file, anchor, hasAnchor := strings.Cut(link, "#")
			name := p.name
			if file != "" {
				name = path.Join(path.Dir(p.name), file)
			}
			if _, err := os.Stat(filepath.Join(root, name)); err != nil {
				t.Errorf("%s links to %s: %v", p.name, link, err)
			}
			if hasAnchor && !slices.Contains(anchors[name], anchor) {
				t.Errorf("%s links to %s; the page has %q", p.name, link, anchors[name])
			}
		}
	}
}

// anchorOf returns the anchor that GitHub makes from a heading.
func anchorOf(text string) string {
	return strings.ReplaceAll(dropped.ReplaceAllString(strings.ToLower(text), ""), " ", "-")
}

// TestPagesAreLinked: a reader who starts at README.md reaches every page by links.
func TestPagesAreLinked(t *testing.T) {
	t.Parallel()
	linked := map[string]bool{"README.md": true}
	all := pages(t)
	for range all { // a path has no more steps than there are pages
		for _, p := range all {
			for _, link := range submatches(links, p.prose) {
				file, _, _ := strings.Cut(link, "#")
				if linked[p.name] && file != "" {
					linked[path.Join(path.Dir(p.name), file)] = true
				}
			}
		}
	}
	for _, p := range all {
		if !linked[p.name] {
			t.Errorf("no links lead from README.md to %s", p.name)
		}
	}
}

// TestPaths: every file of the repository that a page names exists.
func TestPaths(t *testing.T) {
	t.Parallel()
	named := regexp.MustCompile(`(?:file://|[^\w/.-])((?:cmd|config-examples|pkg|test)/[\w./-]*\w)`)
	for _, p := range pages(t) {
		for _, name := range submatches(named, p.text) {
			if _, err := os.Stat(filepath.Join(root, name)); err != nil {
				if _, err := os.Stat(filepath.Join(root, path.Dir(p.name), name)); err != nil {
					t.Errorf("%s names %s: %v", p.name, name, err)
				}
			}
		}
	}
}
