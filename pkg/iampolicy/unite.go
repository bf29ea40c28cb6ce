package iampolicy

import (
	"maps"
	"slices"
	"strings"
)

// unite unites and removes statements where it can. The result allows exactly the same
// as the given ones. A statement allows every combination of its elements' values. So two
// statements that differ in only one element can become one, with the values of both.
func unite(statements []Statement) []Statement {
	united := withoutCovered(statements)
	for i := 0; i < len(united); i++ {
		for j := i + 1; j < len(united); j++ {
			if s, ok := uniteTwo(united[i], united[j]); ok {
				united[i] = s
				united = slices.Delete(united, j, j+1)
				i, j = -1, len(united) // the new statement may unite with an earlier one
			}
		}
	}
	return united
}

// withoutCovered removes each statement that another one covers.
func withoutCovered(statements []Statement) []Statement {
	return withoutCoveredBy(statements, Statement.covers)
}

func withoutCoveredBy[T any](all []T, covers func(a, b T) bool) (kept []T) {
	for i, one := range all {
		covered := false
		for j, other := range all {
			covered = covered || i != j && covers(other, one) && (!covers(one, other) || j < i)
		}
		if !covered {
			kept = append(kept, one)
		}
	}
	return kept
}

// element is one part of a statement whose values are alternatives.
type element struct {
	name   string
	values Values
	// with returns a statement with other values of the element.
	with func(Values) Statement
}

// elements returns the statement's elements except Sid and Effect, in a fixed
// order.
func (s Statement) elements() []element {
	all := []element{
		{"Action", s.Action, func(v Values) Statement { t := s; t.Action = v; return t }},
		{"Resource", s.Resource, func(v Values) Statement { return s.on(v...) }},
	}
	for _, kind := range slices.Sorted(maps.Keys(s.Principal)) {
		all = append(all, element{"Principal " + kind, s.Principal[kind], func(v Values) Statement { return s.by(kind, v...) }})
	}
	for _, operator := range slices.Sorted(maps.Keys(s.Condition)) {
		for _, key := range slices.Sorted(maps.Keys(s.Condition[operator])) {
			all = append(all, element{operator + " " + key, s.Condition[operator][key], func(v Values) Statement { return s.when(operator, key, v...) }})
		}
	}
	return all
}

// negated reports whether more values allow less.
func (e element) negated() bool { return strings.HasPrefix(e.name, "StringNot") }

// alike reports whether two statements have the same elements, with any values.
func alike(a, b []element) bool {
	return slices.EqualFunc(a, b, func(a, b element) bool { return a.name == b.name })
}

// covers reports whether s allows everything that other allows. Negated conditions must
// have the same values.
func (s Statement) covers(other Statement) bool {
	mine, others := s.elements(), other.elements()
	if s.Effect != other.Effect || !alike(mine, others) {
		return false
	}
	for i, e := range mine {
		if !e.values.cover(others[i].values) || e.negated() && !others[i].values.cover(e.values) {
			return false
		}
	}
	return true
}

// uniteTwo unites two statements that differ in one element.
func uniteTwo(a, b Statement) (Statement, bool) {
	mine, others := a.elements(), b.elements()
	if a.Effect != b.Effect || !alike(mine, others) {
		return Statement{}, false
	}
	united, differing := a, 0
	for i, e := range mine {
		if e.values.cover(others[i].values) && others[i].values.cover(e.values) {
			continue
		}
		if e.negated() {
			return Statement{}, false
		}
		differing++
		united = e.with(withoutCoveredBy(slices.Concat(e.values, others[i].values), like))
	}
	return united, differing < 2
}

// cover reports whether v includes all the other values.
func (v Values) cover(others Values) bool {
	return !slices.ContainsFunc(others, func(other string) bool {
		return !slices.ContainsFunc(v, func(value string) bool { return like(value, other) })
	})
}

// like reports whether an IAM value includes another value. A star in either stands for
// any text.
func like(pattern, value string) bool {
	parts := strings.Split(pattern, "*")
	last := len(parts) - 1
	if last == 0 {
		return pattern == value
	}
	value, ok := strings.CutPrefix(value, parts[0])
	if !ok {
		return false
	}
	for _, part := range parts[1:last] {
		if _, value, ok = strings.Cut(value, part); !ok {
			return false
		}
	}
	return strings.HasSuffix(value, parts[last])
}
