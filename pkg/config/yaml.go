package config

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"sort"
	"strings"

	"go.yaml.in/yaml/v3"

	"ecr-cross-account-credential-provider/pkg/printable"
)

// parse returns the root of a text that holds one YAML document. If the text is
// wrong, it returns the line of the mistake, or 0 for the whole text.
func parse(data []byte) (*yaml.Node, int, error) {
	found, err := documents(data)
	switch {
	case err != nil:
		line, err := explain(data, err)
		return nil, line, err
	case found[0] == nil:
		return nil, 0, errors.New(isEmpty)
	case found[1] != nil:
		return nil, found[1].Line, errors.New("a second YAML document starts here; want only one, so remove it")
	}
	root := found[0].Content[0]
	if root.Kind == yaml.ScalarNode && root.Tag == "!!null" {
		return nil, root.Line, errors.New(isEmpty)
	}
	return root, 0, nil
}

// documents returns the first two documents of a text, or nil for a missing one.
func documents(data []byte) (found [2]*yaml.Node, err error) {
	decoder := yaml.NewDecoder(bytes.NewReader(data))
	for i := range found {
		node := new(yaml.Node)
		if err = decoder.Decode(node); err != nil {
			break
		}
		found[i] = node
	}
	if errors.Is(err, io.EOF) {
		err = nil
	}
	return found, err
}

// mistakes are parts of the parser's messages, and what to do about each.
var mistakes = []struct{ message, words string }{
	{"expected alphabetic or numeric", `an unquoted * or & has a meaning of its own in YAML; quote it: "*"`},
	{"cannot start any token", "no value can start with this character; quote the value"},
	{"mapping values are not allowed", `wrong indentation, or an unquoted value with ": " in it; align the key, or quote the value`},
	{"unexpected end of stream", "the quote that opens here is not closed"},
	{"could not find expected ':'", "a key without a colon, or wrong indentation"},
	{"expected ',' or", "a bracket is not closed, or a comma is missing, here or before"},
	{"expected key", "wrong indentation, or a stray quote, bracket or comma, here or on the line before"},
	{"expected <document start>", "text after the end of the document; remove it"},
	{"expected node content", "a value is missing, or a bracket or comma is stray"},
	{"incompatible YAML document", "only YAML 1.1 is supported; remove the line %YAML"},
	{"undefined tag handle", "tags (!) are not supported; remove the tag, or quote the value"},
}

// explain returns the line of a mistake in YAML, and what to do.
func explain(data []byte, mistake error) (int, error) {
	lines := bytes.SplitAfter(data, []byte("\n"))
	// The parser often names the line where the value with the mistake begins. The
	// text up to the line of the mistake has the same error, and a shorter text
	// does not.
	line := 1 + sort.Search(len(lines)-1, func(i int) bool {
		_, err := documents(bytes.Join(lines[:i+1], nil))
		return err != nil && err.Error() == mistake.Error()
	})
	if indent := lines[line-1]; bytes.IndexByte(indent[:len(indent)-len(bytes.TrimLeft(indent, " \t"))], '\t') >= 0 {
		return line, errors.New("a tab indents this line; indent with spaces")
	}
	for n := line; n > 0 && n >= line-1; n-- {
		_, value, found := strings.Cut(strings.TrimSpace(string(lines[n-1])), ": {")
		if name, rest, closed := strings.Cut(value, "}"); found && closed && rest != "" && !strings.ContainsAny(name, ":, ") {
			return n, fmt.Errorf("an unquoted value cannot start with {; quote it: %q", printable.Short("{"+value))
		}
	}
	message := mistake.Error()
	if _, name, ok := strings.Cut(message, "unknown anchor '"); ok {
		alias := printable.Short("*" + strings.TrimSuffix(name, "' referenced"))
		return line, fmt.Errorf("alias %[1]s has no anchor before it; if it is not an alias, quote it: %[1]q", alias)
	}
	for _, m := range mistakes {
		if strings.Contains(message, m.message) {
			return line, errors.New(m.words)
		}
	}
	return line, fmt.Errorf("not YAML: %s", message[strings.LastIndex(message, ": ")+2:])
}
