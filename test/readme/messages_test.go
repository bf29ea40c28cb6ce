package readme_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const (
	messagesPage        = "config-examples/MESSAGES.md"
	troubleshootingPage = "config-examples/TROUBLESHOOTING.md"
)

// TestMessages: every message of the programs belongs to exactly one entry in
// TROUBLESHOOTING.md. With -update it writes the table.
func TestMessages(t *testing.T) {
	t.Parallel()
	headings := submatches(regexp.MustCompile(`(?m)^### (.*)$`), readPage(t, troubleshootingPage).prose)
	used := make([]bool, len(entries))
	var table strings.Builder
	table.WriteString("| message | entry |\n|---|---|\n")
	for _, m := range messages(t) {
		i := slices.IndexFunc(entries, func(e entry) bool {
			return (e.from == "" || slices.Contains(strings.Fields(e.from), m.from)) && strings.Contains(m.text, e.text)
		})
		if i < 0 {
			t.Errorf("no entry for %q of %s", m.text, m.from)
			continue
		}
		used[i] = true
		fmt.Fprintf(&table, "| `%s` | [%s](TROUBLESHOOTING.md#%s) |\n", strings.ReplaceAll(m.text, "|", `\|`), entries[i].heading, anchorOf(entries[i].heading))
	}
	for i, e := range entries {
		if !used[i] {
			t.Errorf("no message of %s has %q", e.from, e.text)
		}
		if !slices.Contains(headings, e.heading) {
			t.Errorf("%s has no entry %q", troubleshootingPage, e.heading)
		}
	}
	generated(t, messagesPage, "messages", table.String())
}

// message is the fixed text of a message of the programs. Ellipses replace the variable
// parts.
type message struct{ from, text string }

// messages collects the texts of all errors and warnings in the code of the programs.
func messages(t *testing.T) []message {
	t.Helper()
	var all []message
	err := fs.WalkDir(os.DirFS(root), "pkg", func(name string, _ fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") || path.Dir(name) == "pkg/config/schema" {
			return err
		}
		file, err := parser.ParseFile(token.NewFileSet(), root+"/"+name, nil, 0)
		if err != nil {
			return err
		}
		ast.Inspect(file, func(n ast.Node) bool {
			for _, text := range textsOf(n) {
				if m := (message{strings.TrimPrefix(path.Dir(name), "pkg/"), fixed(text)}); hasWords(m.text) && !slices.Contains(all, m) {
					all = append(all, m)
				}
			}
			return true
		})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(all) < 200 {
		t.Errorf("got %d messages, want at least 200", len(all))
	}
	slices.SortFunc(all, func(a, b message) int {
		return strings.Compare(strings.ToLower(a.text+"\x00"+a.from), strings.ToLower(b.text+"\x00"+b.from))
	})
	return slices.CompactFunc(all, func(a, b message) bool { return a.text == b.text })
}

// makers are the functions that make messages.
var makers = []string{"Errorf", "UsageError", "errors.New", "Unusable", "unusable", "problem", "problemAt", "refuse", "report", "warn", "addNote"}

// speakers are the functions that return messages.
var speakers = []string{"Error", "describe", "wrongTypes", "noteOf", "stockRoleUnused"}

// tables are the names of struct fields whose texts become messages.
var tables = []string{"text", "words", "refusal", "Message"}

// constants are the names of texts that become messages.
var constants = []string{"late", "distant", "untrusted", "noPlugin", "isEmpty", "why"}

// textsOf returns the texts of the messages in a syntax node.
func textsOf(n ast.Node) (texts []string) {
	for _, e := range sources(n) {
		// A text that begins with a dot is the end of a path in the configuration, not
		// a message.
		if text := literal(e); !strings.HasPrefix(text, "%v.") {
			texts = append(texts, text)
		}
	}
	return texts
}

// sources returns the expressions of a syntax node that become messages.
func sources(n ast.Node) (from []ast.Expr) {
	switch n := n.(type) {
	case *ast.CallExpr:
		switch maker := functionOf(n.Fun); {
		case maker == "missing": // its first argument is a flag
			return n.Args[1:]
		case slices.Contains(makers, maker):
			return n.Args
		}
	case *ast.KeyValueExpr:
		if key, ok := n.Key.(*ast.Ident); ok && slices.Contains(tables, key.Name) {
			return []ast.Expr{n.Value}
		}
	case *ast.AssignStmt:
		if to, ok := n.Lhs[0].(*ast.SelectorExpr); ok && to.Sel.Name == "Note" {
			return n.Rhs
		}
	case *ast.ValueSpec:
		for i, value := range n.Values {
			switch name := n.Names[i].Name; {
			case slices.Contains(constants, name):
				from = append(from, value)
			case name == "mistakes": // each row has a part of the parser's message, and our message
				for _, row := range value.(*ast.CompositeLit).Elts {
					from = append(from, row.(*ast.CompositeLit).Elts[1])
				}
			}
		}
	case *ast.FuncDecl:
		if slices.Contains(speakers, n.Name.Name) && n.Body != nil {
			ast.Inspect(n.Body, func(in ast.Node) bool {
				if r, ok := in.(*ast.ReturnStmt); ok {
					from = append(from, elements(r.Results)...)
				}
				return true
			})
		}
	}
	return from
}

// elements returns the elements of lists in place of the lists.
func elements(all []ast.Expr) (flat []ast.Expr) {
	for _, e := range all {
		if list, ok := e.(*ast.CompositeLit); ok {
			flat = append(flat, list.Elts...)
		} else {
			flat = append(flat, e)
		}
	}
	return flat
}

// functionOf returns the name of the called function. If that name is New, the
// result includes the package.
func functionOf(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.Ident:
		return e.Name
	case *ast.SelectorExpr:
		if of, ok := e.X.(*ast.Ident); ok && e.Sel.Name == "New" {
			return of.Name + ".New"
		}
		return e.Sel.Name
	}
	return ""
}

// literal returns a literal string of the source. %v replaces each name or call that is
// added to the string.
func literal(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.BasicLit:
		if s, err := strconv.Unquote(e.Value); err == nil && e.Kind == token.STRING {
			return s
		}
	case *ast.BinaryExpr:
		return literal(e.X) + literal(e.Y)
	case *ast.CallExpr:
		if functionOf(e.Fun) == "Sprintf" {
			return literal(e.Args[0])
		}
		return "%v"
	case *ast.Ident, *ast.SelectorExpr:
		return "%v"
	}
	return ""
}

// fixed returns a message with ellipses in place of its variable text.
func fixed(format string) string {
	format = regexp.MustCompile(`%(\[\d+\])?[a-z0-9]*[a-z]`).ReplaceAllString(format, "…")
	format = strings.ReplaceAll(format, "%%", "%")
	return regexp.MustCompile(`HOST|DETAIL`).ReplaceAllString(format, "…")
}

// hasWords reports whether a text contains words.
func hasWords(text string) bool { return regexp.MustCompile(`[a-z]{2,}.*[a-z]{2,}`).MatchString(text) }
