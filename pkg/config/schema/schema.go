// Package schema describes the configuration to editors and readers: it turns the
// source of config.Document into a JSON schema and a table of keys. The programs
// do not link it.
package schema

import (
	"cmp"
	"encoding/json"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"reflect"
	"regexp"
	"strconv"
	"strings"
)

// Key is a key of the configuration.
type Key struct {
	Path        string // such as registries[].accounts
	Type        string
	Default     string // in Markdown; empty if the key is required
	Required    bool
	Description string
}

// JSON returns the JSON schema (draft 2020-12) for the source of config.Document.
func JSON(source []byte) ([]byte, error) {
	root, _, err := read(source)
	if err != nil {
		return nil, err
	}
	root.Schema = "https://json-schema.org/draft/2020-12/schema"
	data, err := json.MarshalIndent(root, "", "  ")
	return append(data, '\n'), err
}

// Keys returns the keys for the source of config.Document, in its order.
func Keys(source []byte) ([]Key, error) {
	_, keys, err := read(source)
	return keys, err
}

// Table returns the keys as a table in Markdown, required ones in bold.
func Table(keys []Key) string {
	var s strings.Builder
	s.WriteString("| key | type | default | description |\n|---|---|---|---|\n")
	for _, k := range keys {
		name := "`" + k.Path + "`"
		if k.Required {
			name = "**" + name + "**"
		}
		fmt.Fprintf(&s, "| %s | %s | %s | %s |\n", name, k.Type, k.Default, strings.ReplaceAll(k.Description, "|", `\|`))
	}
	return s.String()
}

// node is a JSON schema.
type node struct {
	Schema               string           `json:"$schema,omitempty"`
	Description          string           `json:"description,omitempty"`
	Type                 []string         `json:"type,omitempty"`
	Enum                 []string         `json:"enum,omitempty"`
	Pattern              string           `json:"pattern,omitempty"`
	Default              string           `json:"default,omitempty"`
	MaxLength            int              `json:"maxLength,omitempty"`
	Items                *node            `json:"items,omitempty"`
	MinItems             int              `json:"minItems,omitempty"`
	MaxItems             int              `json:"maxItems,omitempty"`
	UniqueItems          bool             `json:"uniqueItems,omitempty"`
	PropertyNames        *node            `json:"propertyNames,omitempty"`
	MaxProperties        int              `json:"maxProperties,omitempty"`
	Properties           map[string]*node `json:"properties,omitempty"`
	Required             []string         `json:"required,omitempty"`
	AdditionalProperties any              `json:"additionalProperties,omitempty"` // a *node, or false
	AllOf                json.RawMessage  `json:"allOf,omitempty"`
}

// conditions are the rules for a struct that its tags cannot express.
var conditions = map[string]string{"Entry": `[
{"if": {"properties": {"accounts": {"contains": {"const": "*"}}}, "required": ["accounts"]},
 "then": {"properties": {"accounts": {"maxItems": 1}}, "dependentRequired": {"assumeRoles": ["exceptAccounts"]},
  "$comment": "the pod's author chooses the account that receives these",
  "allOf": [{"properties": {"assumeRoles": {"items": {"properties": {"externalID": false, "sessionTags": {"maxProperties": 0}}}}}}]},
 "else": {"properties": {"exceptAccounts": false}}},
{"if": {"properties": {"source": {"const": "ServiceAccount"}}, "required": ["source"]},
 "then": {"required": ["serviceAccount"], "properties": {"whenRefused": {"enum": ["Fail"]}}},
 "else": {"properties": {"serviceAccount": false}, "dependentRequired": {"whenRefused": ["assumeRoles"]}}}
]`}

// reader reads the source.
type reader struct {
	structs map[string]*ast.StructType
	keys    []Key
}

func read(source []byte) (*node, []Key, error) {
	file, err := parser.ParseFile(token.NewFileSet(), "document.go", source, parser.ParseComments)
	if err != nil {
		return nil, nil, err
	}
	r := &reader{structs: map[string]*ast.StructType{}}
	ast.Inspect(file, func(n ast.Node) bool {
		if spec, ok := n.(*ast.TypeSpec); ok {
			if s, ok := spec.Type.(*ast.StructType); ok {
				r.structs[spec.Name.Name] = s
			}
		}
		return true
	})
	root := r.structs["Document"]
	if root == nil {
		return nil, nil, fmt.Errorf("the source has no type Document")
	}
	n, err := r.object(root, "")
	return n, r.keys, err
}

func (r *reader) object(s *ast.StructType, path string) (*node, error) {
	n := &node{Type: []string{"object"}, Properties: map[string]*node{}, AdditionalProperties: false}
	for _, f := range s.Fields.List {
		text, err := strconv.Unquote(f.Tag.Value)
		if err != nil {
			return nil, err
		}
		tag := reflect.StructTag(text)
		name, description := tag.Get("yaml"), strings.Join(strings.Fields(f.Doc.Text()), " ")
		key := Key{Path: path + name, Required: tag.Get("required") != "", Description: description, Default: tag.Get("absent")}
		if value := tag.Get("default"); value != "" {
			key.Default = "`" + value + "`"
		}
		if key.Required {
			n.Required = append(n.Required, name)
		}
		i := len(r.keys)
		r.keys = append(r.keys, key)
		child, kind, err := r.value(f.Type, tag, key.Path)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", key.Path, err)
		}
		r.keys[i].Type, child.Description, child.Default = kind, description, tag.Get("default")
		n.Properties[name] = child
	}
	return n, nil
}

// value returns the schema of a type, and the type in words.
func (r *reader) value(t ast.Expr, tag reflect.StructTag, path string) (*node, string, error) {
	switch t := t.(type) {
	case *ast.StructType:
		n, err := r.object(t, path+".")
		return n, "mapping", err
	case *ast.ArrayType:
		items, kind, err := r.value(t.Elt, tag, path+"[]")
		if err != nil {
			return nil, "", err
		}
		items.MaxLength = 0 // max limits the items
		most := number(tag, 1000)
		if kind == "string" {
			return &node{Type: []string{"array"}, Items: items, MinItems: 1, MaxItems: most, UniqueItems: true}, "list of strings", nil
		}
		return &node{Type: []string{"array"}, Items: items, MinItems: 1, MaxItems: most}, "list", nil
	case *ast.Ident:
		if s := r.structs[t.Name]; s != nil {
			n, err := r.object(s, path+".")
			if err == nil && conditions[t.Name] != "" {
				n.AllOf = json.RawMessage(conditions[t.Name])
			}
			return n, "mapping", err
		}
		n, err := text(tag)
		if t.Name == "Pairs" && err == nil {
			n.MaxLength = 0
			keys, err := expression(tag.Get("keys"))
			return &node{
				Type: []string{"object"}, PropertyNames: &node{Pattern: keys}, AdditionalProperties: n, MaxProperties: number(tag, 1000),
			}, "mapping of strings", err
		}
		return n, "string", err
	}
	return nil, "", fmt.Errorf("type %T is not known", t)
}

// text returns the schema of a string. Load reads a scalar's text, so a number or a
// boolean is allowed if its text matches.
func text(tag reflect.StructTag) (*node, error) {
	if words := tag.Get("enum"); words != "" {
		return &node{Enum: strings.Split(words, "|")}, nil
	}
	pattern, err := expression(tag.Get("pattern"))
	if err != nil {
		return nil, err
	}
	re := regexp.MustCompile(pattern)
	n := &node{Type: []string{"string"}, Pattern: pattern, MaxLength: number(tag, 4096)}
	if re.MatchString("123456789012") {
		n.Type = append(n.Type, "number")
	}
	if re.MatchString("true") {
		n.Type = append(n.Type, "boolean")
	}
	return n, nil
}

// expression returns the regular expression of a form. It is empty if form is
// empty.
func expression(form string) (string, error) {
	pattern, ok := forms[form]
	if !ok && form != "" {
		return "", fmt.Errorf("no form %q", form)
	}
	return pattern, nil
}

func number(tag reflect.StructTag, otherwise int) int {
	n, _ := strconv.Atoi(tag.Get("max")) // 0 if there is none
	return cmp.Or(n, otherwise)
}
