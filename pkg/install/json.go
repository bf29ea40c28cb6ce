package install

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"unicode"

	"go.yaml.in/yaml/v3"
)

// encodeJSON returns a node as JSON, and keeps the order of keys.
func encodeJSON(node *yaml.Node) ([]byte, error) {
	var compact, b bytes.Buffer
	if err := writeJSON(&compact, node); err != nil {
		return nil, err
	}
	if err := json.Indent(&b, compact.Bytes(), "", "  "); err != nil {
		return nil, err
	}
	b.WriteByte('\n')
	return b.Bytes(), nil
}

func writeJSON(b *bytes.Buffer, node *yaml.Node) error {
	switch node.Kind {
	case yaml.MappingNode:
		return writeItems(b, "{}", node.Content, func(i int) string {
			if i%2 == 0 {
				return ","
			}
			return ":"
		})
	case yaml.SequenceNode:
		return writeItems(b, "[]", node.Content, func(int) string { return "," })
	case yaml.ScalarNode:
		return writeScalar(b, node)
	}
	return fmt.Errorf("line %d: an alias, which JSON does not have", node.Line)
}

// writeItems writes items in brackets. separator returns the text before an item.
func writeItems(b *bytes.Buffer, brackets string, items []*yaml.Node, separator func(int) string) error {
	b.WriteByte(brackets[0])
	for i, item := range items {
		if i > 0 {
			b.WriteString(separator(i))
		}
		if err := writeJSON(b, item); err != nil {
			return err
		}
	}
	b.WriteByte(brackets[1])
	return nil
}

// writeScalar writes a string. It writes any other scalar in its original spelling.
func writeScalar(b *bytes.Buffer, node *yaml.Node) error {
	if node.ShortTag() != "!!str" {
		b.WriteString(node.Value)
		return nil
	}
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(node.Value); err != nil {
		return err
	}
	for _, r := range strings.TrimRight(text.String(), "\n") {
		if r > '~' && r <= 0xffff && !unicode.IsPrint(r) {
			fmt.Fprintf(b, "\\u%04x", r) // YAML allows few control characters
		} else {
			b.WriteRune(r)
		}
	}
	return nil
}
