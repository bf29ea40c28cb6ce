package config

import (
	"fmt"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"ecr-cross-account-credential-provider/pkg/printable"
)

// value is a YAML node and the path to it. Its methods read what is expected
// there, or report what stands there instead.
type value struct {
	decoder *decoder
	node    *yaml.Node
	path    string
}

func (v value) problem(format string, args ...any) {
	v.decoder.problemAt(v.node.Line, v.path, format, args...)
}

// resolved follows an alias to what its anchor names.
func (v value) resolved() *yaml.Node {
	if v.node.Kind == yaml.AliasNode {
		return v.node.Alias
	}
	return v.node
}

// field is one key of a mapping and what reads its value.
type field struct {
	name string
	read func(value)
}

// fields reads a mapping. Keys that are not known, or stand twice, are problems;
// the others are read in the order of fields, so that one can build on another.
func (v value) fields(known ...field) {
	node := v.resolved()
	if node.Kind != yaml.MappingNode {
		v.problem("%s; want a mapping with %s", kindOf(node), oneOf(names(known)))
		return
	}
	found := map[string]value{}
	for i := 0; i+1 < len(node.Content); i += 2 {
		key := node.Content[i]
		child := value{v.decoder, node.Content[i+1], v.join(key.Value)}
		switch _, twice := found[key.Value]; {
		case key.Kind != yaml.ScalarNode:
			v.decoder.problemAt(key.Line, v.path, "has a key that is no plain word; here %s can be set", oneOf(names(known)))
		case !isKnown(key.Value, known):
			v.unknown(key, names(known))
		case twice:
			v.decoder.problemAt(key.Line, child.path, "is there twice")
		default:
			found[key.Value] = child
		}
	}
	for _, f := range known {
		if child, ok := found[f.name]; ok {
			f.read(child)
		}
	}
}

func (v value) unknown(key *yaml.Node, known []string) {
	hint := "; here " + oneOf(known) + " can be set"
	if s, ok := suggest(key.Value, known); ok {
		hint = "; did you mean " + s + "?"
	}
	v.decoder.problemAt(key.Line, v.join(oneWord(key.Value)), "unknown field%s", hint)
}

func (v value) join(key string) string {
	if v.path == "" {
		return key
	}
	return v.path + "." + key
}

// list reads a sequence with at least one item.
func (v value) list(read func(value)) {
	node := v.resolved()
	if node.Kind != yaml.SequenceNode {
		v.problem("%s; want a list", kindOf(node))
		return
	}
	if len(node.Content) == 0 {
		v.problem("an empty list; want at least one item")
	}
	for i, item := range node.Content {
		read(value{v.decoder, item, fmt.Sprintf("%s[%d]", v.path, i)})
	}
}

// pairs reads a mapping whose keys are anything.
func (v value) pairs(read func(key string, v value)) {
	node := v.resolved()
	if node.Kind != yaml.MappingNode {
		v.problem("%s; want a mapping", kindOf(node))
		return
	}
	for i := 0; i+1 < len(node.Content); i += 2 {
		key := node.Content[i]
		if key.Kind != yaml.ScalarNode {
			v.decoder.problemAt(key.Line, v.path, "has a key that is no plain word")
			continue
		}
		read(key.Value, value{v.decoder, node.Content[i+1], v.join(oneWord(key.Value))})
	}
}

// text reads a string, quoted or not: digits keep their leading zeros.
func (v value) text() (string, bool) {
	node := v.resolved()
	if node.Kind != yaml.ScalarNode || node.Tag == "!!null" {
		v.problem("%s; want a string", kindOf(node))
		return "", false
	}
	return node.Value, true
}

// choice reads one of a few words, and returns its place among them.
func (v value) choice(words ...string) int {
	text, ok := v.text()
	if !ok {
		return 0
	}
	for i, w := range words {
		if text == w {
			return i
		}
	}
	hint := ""
	if s, ok := suggest(text, words); ok && len(words) > 1 {
		hint = "; did you mean " + s + "?"
	}
	v.problem("%q is not %s%s", printable.Short(text), oneOf(words), hint)
	return 0
}

// has tells whether a mapping has a field.
func (v value) has(name string) bool {
	node := v.resolved()
	for i := 0; i+1 < len(node.Content) && node.Kind == yaml.MappingNode; i += 2 {
		if node.Content[i].Value == name {
			return true
		}
	}
	return false
}

// require reports a mapping's field that must be there.
func (v value) require(name, want string) {
	if v.resolved().Kind == yaml.MappingNode && !v.has(name) {
		v.decoder.problemAt(v.node.Line, v.join(name), "is required; %s", want)
	}
}

func kindOf(node *yaml.Node) string {
	switch node.Kind {
	case yaml.MappingNode:
		return "is a mapping"
	case yaml.SequenceNode:
		return "is a list"
	}
	if node.Tag == "!!null" {
		return "has no value"
	}
	return fmt.Sprintf("is %q", printable.Short(node.Value))
}

func isKnown(name string, known []field) bool {
	for _, f := range known {
		if f.name == name {
			return true
		}
	}
	return false
}

func names(fields []field) []string {
	names := make([]string, len(fields))
	for i, f := range fields {
		names[i] = f.name
	}
	return names
}

func oneOf(words []string) string {
	if len(words) == 1 {
		return words[0]
	}
	last := len(words) - 1
	return strings.Join(words[:last], ", ") + " or " + words[last]
}

// oneWord is what the input calls something, as a path shows it: in quotes
// where it would break the line.
func oneWord(s string) string {
	s = printable.Short(s)
	if quoted := strconv.Quote(s); s == "" || quoted != `"`+s+`"` {
		return quoted
	}
	return s
}
