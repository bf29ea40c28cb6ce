package test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// TestMessages: the page's table has exactly the messages of the program. An ellipsis
// replaces the variable parts.
func TestMessages(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	var listed []string
	for _, row := range regexp.MustCompile("(?m)^\\| `(.+?)` \\|").FindAllStringSubmatch(string(text), -1) {
		listed = append(listed, row[1])
	}
	made := messages(t)
	for _, m := range made {
		if !slices.Contains(listed, m) {
			t.Errorf("got a page without %q, want it listed", m)
		}
	}
	for _, m := range listed {
		if !slices.Contains(made, m) {
			t.Errorf("got %q on the page, but not in the program", m)
		}
	}
}

// makers are the functions that make messages.
var makers = []string{"Errorf", "UsageError", "New", "Sprintf", "Error", "Warn", "Info"}

// messages returns the fixed texts of the program's messages, in order.
func messages(t *testing.T) (all []string) {
	t.Helper()
	err := fs.WalkDir(os.DirFS("../internal"), ".", func(name string, _ fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") || name == "status/metrics.go" {
			return err
		}
		file, err := parser.ParseFile(token.NewFileSet(), "../internal/"+name, nil, 0)
		if err != nil {
			return err
		}
		ast.Inspect(file, func(n ast.Node) bool {
			if text := textOf(n); regexp.MustCompile(`[a-z]{2,} .*[a-z]{2,}`).MatchString(text) {
				all = append(all, text)
			}
			return true
		})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(all) < 20 {
		t.Errorf("got only %d messages, want more", len(all))
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// textOf returns the text of a message that a node makes.
func textOf(n ast.Node) string {
	switch n := n.(type) {
	case *ast.CallExpr:
		if f, ok := n.Fun.(*ast.SelectorExpr); ok && len(n.Args) > 0 && slices.Contains(makers, f.Sel.Name) {
			return fixed(n.Args[0])
		}
		if f, ok := n.Fun.(*ast.Ident); ok && f.Name == "append" && len(n.Args) == 2 { // a list of reasons
			return fixed(n.Args[1])
		}
	case *ast.KeyValueExpr:
		if key, ok := n.Key.(*ast.Ident); ok && key.Name == "Message" {
			return fixed(n.Value)
		}
	}
	return ""
}

// fixed returns a text with an ellipsis for each variable part.
func fixed(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.BasicLit:
		if s, err := strconv.Unquote(e.Value); err == nil && e.Kind == token.STRING {
			return strings.ReplaceAll(regexp.MustCompile(`%(\[\d+\])?[a-z]`).ReplaceAllString(s, "…"), "…/…", "…")
		}
	case *ast.BinaryExpr:
		return fixed(e.X) + fixed(e.Y)
	case *ast.SelectorExpr:
		return "…"
	}
	return ""
}
