package fakeaws

import (
	"fmt"
	"slices"
	"strings"
)

// condition is one key of a statement's Condition.
type condition struct {
	compare  func(want, have string) bool
	negated  bool // StringNotEquals and the like
	any, all bool // ForAnyValue, ForAllValues
	ifExists bool
	null     bool
	key      string // in lower case
	wants    values
}

// operators are the condition operators that this package evaluates. A negated one
// is true where no value compares (IAM User Guide, "Condition operators").
var operators = map[string]struct {
	compare func(want, have string) bool
	negated bool
}{
	"StringEquals":              {func(want, have string) bool { return want == have }, false},
	"StringEqualsIgnoreCase":    {strings.EqualFold, false},
	"StringNotEquals":           {func(want, have string) bool { return want == have }, true},
	"StringLike":                {matches, false},
	"StringNotLike":             {matches, true},
	"ArnEquals":                 {matches, false},
	"ArnLike":                   {matches, false},
	"ArnNotEquals":              {matches, true},
	"ArnNotLike":                {matches, true},
	"Bool":                      {strings.EqualFold, false},
	"Null":                      {nil, false},
	"StringNotEqualsIgnoreCase": {strings.EqualFold, true},
}

// conditionKeys are the keys that this package knows, in lower case. Those of an
// OIDC provider end in :sub and :aud.
var conditionKeys = []string{
	"sts:externalid", "aws:principalarn", "aws:principalaccount", "aws:principalorgid", "aws:principalorgpaths",
	"aws:resourceorgid", "aws:resourceaccount", "aws:tagkeys",
}

func parseConditions(all map[string]map[string]values) ([]condition, error) {
	var parsed []condition
	for operator, keys := range all {
		name, any := strings.CutPrefix(operator, "ForAnyValue:")
		name, all := strings.CutPrefix(name, "ForAllValues:")
		name, ifExists := strings.CutSuffix(name, "IfExists")
		o, ok := operators[name]
		if !ok {
			return nil, fmt.Errorf("condition operator %q", operator)
		}
		for key, wants := range keys {
			lower := strings.ToLower(key)
			known := slices.Contains(conditionKeys, lower) || strings.HasPrefix(lower, "aws:requesttag/") ||
				strings.HasSuffix(lower, ":sub") || strings.HasSuffix(lower, ":aud")
			if !known || len(wants) == 0 {
				return nil, fmt.Errorf("condition key %q with %q", key, wants)
			}
			parsed = append(parsed, condition{o.compare, o.negated, any, all, ifExists, name == "Null", lower, wants})
		}
	}
	return parsed, nil
}

// holds evaluates the condition for a request's keys.
func (c condition) holds(keys map[string][]string) bool {
	have, exists := keys[c.key]
	switch {
	case c.null:
		return c.wants[0] == fmt.Sprint(!exists)
	case !exists:
		return c.ifExists || c.negated && !c.any || c.all
	}
	ok := func(value string) bool {
		return slices.ContainsFunc(c.wants, func(want string) bool { return c.compare(want, value) }) != c.negated
	}
	if c.all || c.negated && !c.any {
		return !slices.ContainsFunc(have, func(value string) bool { return !ok(value) })
	}
	return slices.ContainsFunc(have, ok)
}
