package providerconfig

import (
	"fmt"
	"slices"

	"go.yaml.in/yaml/v3"
)

// These are the fields, grouped by the type of their values or of their lists' items.
var (
	stringFields = []string{
		"apiVersion", "kind", "name", "value", "matchImages", "defaultCacheDuration", "args",
		"serviceAccountTokenAudience", "cacheType", "requiredServiceAccountAnnotationKeys", "optionalServiceAccountAnnotationKeys",
	}
	boolFields = []string{"requireServiceAccount"}
	mapFields  = []string{"", "<<", "providers", "env", "tokenAttributes"} // "" is the document

	knownFields = slices.Concat(stringFields, boolFields, mapFields)
)

// wrongTypes returns the problems of values whose type a kubelet refuses. A kubelet
// converts YAML 1.1 to JSON first, so an unquoted 123 is a number, and an unquoted
// yes a boolean. The problems do not quote the values, which may be secrets.
func wrongTypes(n *yaml.Node, field string) []string { return followed{}.wrongTypes(n, field) }

// followed holds the aliases that were followed. Each is followed once per field. So the
// check ends soon even if aliases form a cycle, or if each one has several others.
type followed map[alias]bool

type alias struct {
	to    *yaml.Node
	field string
}

func (f followed) wrongTypes(n *yaml.Node, field string) (problems []string) {
	if !slices.Contains(knownFields, field) {
		return nil
	}
	switch n.Kind {
	case yaml.DocumentNode, yaml.SequenceNode:
		for _, item := range n.Content {
			problems = append(problems, f.wrongTypes(item, field)...)
		}
	case yaml.MappingNode:
		if !slices.Contains(mapFields, field) {
			return nil
		}
		for i := 0; i+1 < len(n.Content); i += 2 {
			problems = append(problems, f.wrongTypes(n.Content[i+1], n.Content[i].Value)...)
		}
	case yaml.AliasNode:
		a := alias{n.Alias, field}
		if f[a] {
			return nil
		}
		f[a] = true
		return f.wrongTypes(n.Alias, field)
	case yaml.ScalarNode:
		is := typeOf(n)
		switch {
		case is == "null":
		case slices.Contains(stringFields, field) && is != "string":
			return []string{fmt.Sprintf("line %d: %s: a %s, but the kubelet wants a string; put it in quotes", n.Line, field, is)}
		case slices.Contains(boolFields, field) && is != "boolean":
			return []string{fmt.Sprintf("line %d: %s: a %s, but the kubelet wants true or false without quotes", n.Line, field, is)}
		}
	}
	return problems
}

// typeOf returns the JSON type of a scalar.
func typeOf(n *yaml.Node) string {
	switch tag := n.ShortTag(); {
	case tag == "!!int" || tag == "!!float":
		return "number"
	case tag == "!!bool" || n.Style == 0 && slices.Contains(oldBooleans, n.Value):
		return "boolean"
	case tag == "!!null":
		return "null"
	}
	return "string"
}

// oldBooleans are the booleans of YAML 1.1 that YAML 1.2 does not have.
var oldBooleans = []string{
	"y", "Y", "yes", "Yes", "YES", "on", "On", "ON",
	"n", "N", "no", "No", "NO", "off", "Off", "OFF",
}
