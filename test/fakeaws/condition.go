package fakeaws

import (
	"errors"
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

// operators are the condition operators that this package evaluates. A negated operator
// is true if no value matches (IAM User Guide, "Condition operators").
var operators = map[string]struct {
	compare func(want, have string) bool
	negated bool
}{
	"StringEquals":              {equal, false},
	"StringEqualsIgnoreCase":    {strings.EqualFold, false},
	"StringNotEquals":           {equal, true},
	"StringNotEqualsIgnoreCase": {strings.EqualFold, true},
	"StringLike":                {matches, false},
	"StringNotLike":             {matches, true},
	"ArnEquals":                 {matchesARN, false},
	"ArnLike":                   {matchesARN, false},
	"ArnNotEquals":              {matchesARN, true},
	"ArnNotLike":                {matchesARN, true},
	"Bool":                      {strings.EqualFold, false},
	"Null":                      {nil, false},
}

func equal(want, have string) bool { return want == have }

// matchesARN compares an ARN with a pattern, part by part.
func matchesARN(pattern, arn string) bool {
	return slices.EqualFunc(strings.SplitN(pattern, ":", 6), strings.SplitN(arn, ":", 6), matches)
}

// multivalued are the keys that can have several values. booleans are the keys that are
// true or false. All names are in lower case, also in singleValued.
var (
	multivalued  = []string{"aws:principalorgpaths", "aws:tagkeys"}
	booleans     = []string{"aws:securetransport", "aws:viaawsservice", "aws:principalisawsservice"}
	singleValued = []string{
		"sts:externalid", "sts:rolesessionname", "aws:principalarn", "aws:principalaccount", "aws:principalorgid", "aws:resourceorgid",
		"aws:resourceaccount", "aws:sourcevpce",
	}
)

// isKey reports whether this package knows a key in lower case. The keys of an OIDC
// provider start with its host, and end in :sub or :aud.
func isKey(key string) bool {
	for _, suffix := range []string{":sub", ":aud"} {
		if issuer, ok := strings.CutSuffix(key, suffix); ok {
			return strings.Contains(issuer, ".") || key == anySubject
		}
	}
	return slices.Contains(slices.Concat(singleValued, multivalued, booleans), key) || strings.HasPrefix(key, "aws:requesttag/")
}

// parseConditions refuses unknown operators and keys. A misspelt condition would never
// hold or always hold, and a test would prove nothing.
func parseConditions(all map[string]map[string]values) ([]condition, error) {
	var parsed []condition
	for operator, keys := range all {
		for key, wants := range keys {
			c, err := parseCondition(operator, strings.ToLower(key), wants)
			if err != nil {
				return nil, fmt.Errorf("condition %s of %s: %w", operator, key, err)
			}
			parsed = append(parsed, c)
		}
	}
	return parsed, nil
}

func parseCondition(operator, key string, wants values) (condition, error) {
	name, isAny := strings.CutPrefix(operator, "ForAnyValue:")
	name, isAll := strings.CutPrefix(name, "ForAllValues:")
	name, ifExists := strings.CutSuffix(name, "IfExists")
	o, ok := operators[name]
	c := condition{o.compare, o.negated, isAny, isAll, ifExists, name == "Null", key, wants}
	hasVariable := func(s string) bool { return strings.Contains(s, "${") } // policy variables, which this package does not replace
	isBool := func(s string) bool { return s == "true" || s == "false" }
	switch {
	case !ok, isAny && isAll, c.null && (isAny || isAll || ifExists):
		return c, errors.New("unknown operator")
	case !isKey(key):
		return c, errors.New("unknown key")
	case len(wants) == 0, slices.ContainsFunc(wants, hasVariable), (c.null || name == "Bool") && (len(wants) > 1 || !isBool(wants[0])):
		return c, fmt.Errorf("values %q", wants)
	case (name == "Bool") != slices.Contains(booleans, key) && !c.null:
		return c, errors.New("the operator does not fit the key")
	case slices.Contains(multivalued, key) != (isAny || isAll) && !c.null:
		return c, errors.New("a key with several values needs ForAnyValue or ForAllValues, and no other key may have them")
	case c.compare != nil && strings.HasPrefix(name, "Arn") && !strings.HasSuffix(key, "arn"):
		return c, errors.New("the key is not an ARN")
	}
	return c, nil
}

// holds reports whether the condition is true for the keys of a request.
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
