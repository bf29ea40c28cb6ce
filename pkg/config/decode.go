package config

import (
	"cmp"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"

	"ecr-cross-account-credential-provider/pkg/printable"
	"ecr-cross-account-credential-provider/pkg/spelling"
)

// maxValues is the maximum number of values of a configuration. A few lines with
// aliases of aliases can stand for any number of values.
const maxValues = 20_000

// decoder fills a Document from YAML nodes, and reports what does not fit. Each
// scalar keeps its text, so the account 012345670123 keeps its digits.
type decoder struct {
	*report
	values int
	within []*yaml.Node // the current value, and those that contain it
}

// value decodes a node into a struct, a list, pairs or a string.
func (d *decoder) value(node *yaml.Node, path string, to reflect.Value, tag reflect.StructTag) {
	setDefaults(to)
	if d.values++; d.values > maxValues {
		if d.values == maxValues+1 {
			d.problem(path, "is one value too many; at most %d are allowed, counting those that aliases repeat", maxValues)
		}
		return
	}
	if node.Kind == yaml.AliasNode {
		if slices.Contains(d.within, node.Alias) {
			d.problem(path, "alias *%s refers to a value that contains it; write the value out", printable.Short(node.Value))
			return
		}
		node = node.Alias
	}
	if !d.plainTag(node, path) {
		return
	}
	d.within = append(d.within, node)
	_, isPairs := to.Interface().(Pairs)
	switch kind := to.Kind(); {
	case kind == reflect.Struct:
		d.mapping(node, path, to)
	case isPairs:
		if d.isKind(node, yaml.MappingNode, path, "a mapping") {
			d.items(d.keys(node, path), to, tag)
		}
	case kind == reflect.Slice:
		if d.isKind(node, yaml.SequenceNode, path, "a list") {
			d.items(d.list(node, path), to, tag)
		}
	default:
		d.text(node, path, to, tag)
	}
	d.within = d.within[:len(d.within)-1]
}

// field is a key of a mapping, or an item of a list, which has no key.
type field struct {
	key, path string
	node      *yaml.Node
}

func (d *decoder) mapping(node *yaml.Node, path string, to reflect.Value) {
	names, tags := make([]string, to.NumField()), make([]reflect.StructTag, to.NumField())
	for i := range names {
		tags[i] = to.Type().Field(i).Tag
		names[i] = tags[i].Get("yaml")
	}
	if !d.isKind(node, yaml.MappingNode, path, "a mapping with "+oneOf(names)) {
		return
	}
	for _, f := range d.keys(node, path) {
		if i := slices.Index(names, f.key); i >= 0 {
			d.value(f.node, f.path, to.Field(i), tags[i])
		} else {
			d.problem(f.path, "unknown field%s", cmp.Or(spelling.DidYouMean(f.key, names), "; want "+oneOf(names)))
		}
	}
	for i, tag := range tags {
		if want, at := tag.Get("required"), join(path, names[i]); want != "" && !d.has(at) {
			d.problem(at, "is required; %s", want)
		}
	}
}

// keys returns the keys of a mapping, without duplicates.
func (d *decoder) keys(node *yaml.Node, path string) (fields []field) {
	seen := map[string]bool{}
	for i := 0; i+1 < len(node.Content); i += 2 {
		switch key := node.Content[i]; {
		case key.Kind != yaml.ScalarNode:
			d.problemAt(key.Line, path, "has a key that %s; want a plain word", kindOf(key))
		case key.Tag == "!!merge":
			d.problemAt(key.Line, path, "merge keys (<<) are not supported; write the keys out, or use an alias for a whole value")
		case seen[key.Value]:
			d.problemAt(key.Line, path, "duplicate key %s", oneWord(key.Value))
		case d.plainTag(key, path):
			seen[key.Value] = true
			fields = append(fields, field{key.Value, join(path, key.Value), node.Content[i+1]})
			d.record(join(path, key.Value), key.Line)
		}
	}
	return fields
}

func (d *decoder) list(node *yaml.Node, path string) (fields []field) {
	if len(node.Content) == 0 {
		d.problem(path, "is an empty list; want at least one item")
	}
	for i, item := range node.Content {
		f := field{path: fmt.Sprintf("%s[%d]", path, i), node: item}
		d.record(f.path, item.Line)
		fields = append(fields, f)
	}
	return fields
}

// items decodes the items of a list or the pairs of a mapping.
func (d *decoder) items(fields []field, to reflect.Value, tag reflect.StructTag) {
	most, seen := limit(tag, maxItems), map[string]bool{}
	for i, f := range fields {
		if i == most {
			d.problem(f.path, "is one too many; at most %d are allowed", most)
			return
		}
		item := reflect.New(to.Type().Elem()).Elem()
		if pair, ok := item.Addr().Interface().(*Pair); ok {
			pair.Key, pair.Path = f.key, f.path
			d.value(f.node, f.path, reflect.ValueOf(&pair.Value).Elem(), "")
		} else {
			d.value(f.node, f.path, item, "")
		}
		if d.values > maxValues {
			return
		}
		if text := item.String(); item.Kind() == reflect.String && !d.bad[f.path] {
			if seen[text] {
				d.problem(f.path, "duplicate %q", printable.Short(text))
			}
			seen[text] = true
		}
		to.Set(reflect.Append(to, item))
	}
}

func (d *decoder) text(node *yaml.Node, path string, to reflect.Value, tag reflect.StructTag) {
	if !d.isKind(node, yaml.ScalarNode, path, "a string") {
		return
	}
	most, words := limit(tag, maxText), strings.Split(tag.Get("enum"), "|")
	switch n := utf8.RuneCountInString(node.Value); {
	case n > most:
		d.problem(path, "has %d characters; at most %d are allowed", n, most)
	case strings.Contains(node.Value, "\x00"):
		d.problem(path, "contains a NUL character")
	case words[0] == "" || slices.Contains(words, node.Value):
		to.SetString(node.Value)
	case len(words) == 1:
		d.problem(path, "%q is not %s", printable.Short(node.Value), words[0])
	default:
		d.problem(path, "%q is not %s%s", printable.Short(node.Value), oneOf(words), spelling.DidYouMean(node.Value, words))
	}
}

// isKind reports whether a node is of a kind and not null. If not, it adds a
// problem.
func (d *decoder) isKind(node *yaml.Node, kind yaml.Kind, path, want string) bool {
	if node.Kind == kind && node.Tag != "!!null" {
		return true
	}
	// YAML reads an unquoted {node} as a mapping.
	braces := node.Kind == yaml.MappingNode && node.Style&yaml.FlowStyle != 0 && len(node.Content) == 2 && node.Content[1].Tag == "!!null"
	if braces && kind == yaml.ScalarNode {
		want = fmt.Sprintf("%s; quote it: %q", want, "{"+printable.Short(node.Content[0].Value)+"}")
	}
	d.problem(path, "%s; want %s", kindOf(node), want)
	return false
}

// plainTag reports whether the file gives the node no tag, or only !!str. If not,
// it adds a problem, because other tags can change a value's meaning.
func (d *decoder) plainTag(node *yaml.Node, path string) bool {
	if node.Style&yaml.TaggedStyle == 0 || node.Tag == "!!str" {
		return true
	}
	d.problemAt(node.Line, path, "tag %s is not supported; remove it, or quote the value", oneWord(node.Tag))
	return false
}

func kindOf(node *yaml.Node) string {
	kinds := map[yaml.Kind]string{yaml.MappingNode: "is a mapping", yaml.SequenceNode: "is a list", yaml.AliasNode: "is an alias"}
	if node.Tag == "!!null" {
		return "has no value"
	}
	return cmp.Or(kinds[node.Kind], "is "+strconv.Quote(printable.Short(node.Value)))
}

// setDefaults sets the fields of a struct, and of structs in it, to their defaults.
func setDefaults(v reflect.Value) {
	for i := 0; v.Kind() == reflect.Struct && i < v.NumField(); i++ {
		if text, ok := v.Type().Field(i).Tag.Lookup("default"); ok {
			v.Field(i).SetString(text)
		}
		setDefaults(v.Field(i))
	}
}

// The default limits: characters of a string, items of a list.
const maxText, maxItems = 4096, 1000

func limit(tag reflect.StructTag, otherwise int) int {
	most, _ := strconv.Atoi(tag.Get("max")) // 0 if there is none
	return cmp.Or(most, otherwise)
}
