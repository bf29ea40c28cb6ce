package install

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"

	"go.yaml.in/yaml/v3"

	"ecr-cross-account-credential-provider/pkg/providerconfig"
)

// document is the text of a CredentialProviderConfig that is edited. Others' entries,
// unknown fields, comments and the order of everything stay.
type document struct {
	root *yaml.Node
	json bool
}

// newDocument returns a document without entries.
func newDocument() document {
	root := &yaml.Node{Kind: yaml.MappingNode, HeadComment: "# Written by ecr-cross-account install, from " + ConfigPath + ".\n# Run it again after a change there."}
	for _, text := range []string{"apiVersion", "kubelet.config.k8s.io/v1", "kind", "CredentialProviderConfig"} {
		root.Content = append(root.Content, &yaml.Node{Kind: yaml.ScalarNode, Value: text})
	}
	return document{root: root}
}

// parseDocument parses JSON or YAML.
func parseDocument(content []byte) (document, error) {
	decoder := yaml.NewDecoder(bytes.NewReader(content))
	var top yaml.Node
	if err := decoder.Decode(&top); errors.Is(err, io.EOF) {
		return document{}, errors.New("it is empty; remove it")
	} else if err != nil {
		return document{}, err
	}
	if err := decoder.Decode(new(yaml.Node)); !errors.Is(err, io.EOF) {
		return document{}, errors.New("it has a second YAML document, which the kubelet does not read; remove it")
	}
	root := top.Content[0]
	if root.Kind != yaml.MappingNode {
		return document{}, errors.New("it is not a mapping; want apiVersion, kind and providers")
	}
	if err := ownList(field(root, "providers")); err != nil {
		return document{}, err
	}
	writeNulls(root)
	root.HeadComment, root.FootComment = joinComments(top.HeadComment, root.HeadComment), joinComments(root.FootComment, top.FootComment)
	return document{root: root, json: json.Valid(content)}, nil
}

// ownList replaces an alias of a list by a copy of that list. A value that is neither a
// list nor null is an error, so that the value is not overwritten.
func ownList(list *yaml.Node) error {
	if list != nil && list.Kind == yaml.AliasNode {
		*list = *list.Alias
		list.Anchor, list.Content = "", slices.Clone(list.Content)
	}
	if list == nil || list.Kind == yaml.SequenceNode || list.ShortTag() == "!!null" {
		return nil
	}
	return fmt.Errorf("line %d: providers is not a list", list.Line)
}

// writeNulls makes empty values explicit, because the encoder writes some of them as
// empty strings.
func writeNulls(node *yaml.Node) {
	if node.Kind == yaml.ScalarNode && node.Value == "" && node.ShortTag() == "!!null" {
		node.Value = "null"
	}
	for _, child := range node.Content {
		writeNulls(child)
	}
}

func joinComments(a, b string) string {
	if a == "" || b == "" {
		return a + b
	}
	return a + "\n\n" + b
}

// providers returns the list of entries, or nil if there is none.
func (d document) providers() *yaml.Node {
	return field(d.root, "providers")
}

// field returns the value of a mapping's key, or nil if there is none.
func field(mapping *yaml.Node, key string) *yaml.Node {
	for i := 0; i+1 < len(mapping.Content); i += 2 {
		if mapping.Content[i].Value == key {
			return mapping.Content[i+1]
		}
	}
	return nil
}

// nameOf returns the name of an entry. The entry may be an alias or have a merge key.
// The name is empty if the value is not an entry; the kubelet's rules report that.
func nameOf(entry *yaml.Node) string {
	var named struct {
		Name string `yaml:"name"`
	}
	if entry.Decode(&named) != nil {
		return ""
	}
	return named.Name
}

// has reports whether an entry has one of the names.
func (d document) has(names ...string) bool {
	list := d.providers()
	return list != nil && slices.ContainsFunc(list.Content, func(n *yaml.Node) bool { return slices.Contains(names, nameOf(n)) })
}

// remove removes the entries with the names.
func (d document) remove(names ...string) {
	if list := d.providers(); list != nil {
		list.Content = slices.DeleteFunc(list.Content, func(n *yaml.Node) bool { return slices.Contains(names, nameOf(n)) })
	}
}

// env returns the variables of an entry with one of the names. Earlier names have
// priority.
func (d document) env(names ...string) []providerconfig.Variable {
	for _, name := range names {
		if list := d.providers(); list != nil {
			for _, entry := range list.Content {
				var p providerconfig.Provider
				if nameOf(entry) == name && entry.Decode(&p) == nil {
					return p.Env
				}
			}
		}
	}
	return nil
}

// insert puts entries before all others, so that the kubelet tries them first.
func (d document) insert(entries []provider) error {
	var nodes []*yaml.Node
	for _, e := range entries {
		node := new(yaml.Node)
		if err := node.Encode(e); err != nil {
			return err
		}
		nodes = append(nodes, node)
	}
	list := d.providers()
	switch {
	case list == nil:
		list = &yaml.Node{Kind: yaml.SequenceNode}
		d.root.Content = append(d.root.Content, &yaml.Node{Kind: yaml.ScalarNode, Value: "providers"}, list)
	case list.Kind != yaml.SequenceNode: // null
		*list = yaml.Node{Kind: yaml.SequenceNode}
	}
	if !d.json {
		list.Style &^= yaml.FlowStyle
	}
	list.Content = append(nodes, list.Content...)
	return nil
}

// bytes returns the text in its original format.
func (d document) bytes() ([]byte, error) {
	if d.json {
		return encodeJSON(d.root)
	}
	var b bytes.Buffer
	encoder := yaml.NewEncoder(&b)
	encoder.SetIndent(2)
	if err := encoder.Encode(d.root); err != nil {
		return nil, err
	}
	return b.Bytes(), encoder.Close()
}

// edit returns a document in which our entries replace our former ones. With instead,
// they also replace the stock provider's entry. A nil content means that the file does
// not exist. Entries without an env get that of our former ones, else that of the stock
// provider. Otherwise they get the given env. The env is part of the node's identity.
func edit(path string, content []byte, entries []provider, instead bool, env []providerconfig.Variable) ([]byte, error) {
	d := newDocument()
	if content != nil {
		var err error
		if d, err = parseDocument(content); err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
	}
	if d.has(append(slices.Clone(ourNames), stockName)...) {
		env = d.env(append(slices.Clone(ourNames), stockName)...)
	}
	entries = withEnv(entries, env)
	before, err := d.bytes()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	d.remove(ourNames...)
	if instead {
		d.remove(stockName)
	}
	if err := d.insert(entries); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	after, err := d.bytes()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	if bytes.Equal(before, after) {
		return content, nil // the original text
	}
	return after, nil
}

// withEnv returns the entries. Those without an env get the given one.
func withEnv(entries []provider, env []providerconfig.Variable) []provider {
	entries = slices.Clone(entries)
	for i := range entries {
		if len(entries[i].Env) == 0 {
			entries[i].Env = env
		}
	}
	return entries
}
