// Package readme_test keeps the documents true. It runs their sessions, and loads their
// configurations. It checks the files, links, make targets, keys, figures and messages
// that they name.
package readme_test

import (
	"flag"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const root = "../.."

var update = flag.Bool("update", false, "write the generated parts of the pages")

// scratch is a directory for files that all tests share.
var scratch string

func TestMain(m *testing.M) { os.Exit(inScratch(m)) }

func inScratch(m *testing.M) int {
	dir, err := os.MkdirTemp("", "readme")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir) //nolint:errcheck // a temporary directory
	scratch = dir
	return m.Run()
}

// page is a document in Markdown.
type page struct {
	name   string // the path from the root of the repository
	text   string
	blocks []block
	prose  string // the text between the blocks
}

// block is a fenced block of a page.
type block struct {
	page     string
	language string
	line     int // the number of the first line of text
	text     []string
}

// where returns the position of a block, or of a line in it.
func (b block) where(line int) string { return fmt.Sprintf("%s:%d", b.page, b.line+line) }

// pages returns all documents of the repository.
func pages(t *testing.T) []page {
	t.Helper()
	names := []string{"README.md"}
	for _, dir := range []string{"config-examples", "test"} {
		err := fs.WalkDir(os.DirFS(root), dir, func(name string, _ fs.DirEntry, err error) error {
			if strings.HasSuffix(name, ".md") {
				names = append(names, name)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if len(names) < 10 {
		t.Fatalf("got only the pages %q", names)
	}
	all := make([]page, len(names))
	for i, name := range names {
		all[i] = readPage(t, name)
	}
	return all
}

// readPage splits a page into its blocks and the prose between them.
func readPage(t *testing.T, name string) page {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, name))
	if err != nil {
		t.Fatal(err)
	}
	p := page{name: name, text: string(text)}
	var inside *block
	var between []string
	for i, line := range strings.Split(p.text, "\n") {
		language, fence := strings.CutPrefix(line, "```")
		switch {
		case fence && inside == nil:
			inside = &block{page: name, language: language, line: i + 2}
		case fence:
			p.blocks, inside = append(p.blocks, *inside), nil
		case inside != nil:
			inside.text = append(inside.text, line)
		default:
			between = append(between, line)
		}
	}
	if inside != nil {
		t.Fatalf("%s has a block that does not end", name)
	}
	p.prose = strings.Join(between, "\n")
	return p
}
