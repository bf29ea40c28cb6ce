// Package iampolicy writes the IAM policies that the plugin needs. It has one
// function for each statement, and Derive, which computes every policy of a
// configuration from its plans. It makes no call.
package iampolicy

import (
	"encoding/json"
	"slices"
	"strconv"
)

// Document is an IAM policy. Its JSON has the form that AWS's own examples have.
type Document struct {
	Version   string
	Statement []Statement
}

// version is the only version of the policy language that knows policy variables.
const version = "2012-10-17"

// Statement is one statement of a policy. The functions of this package return
// statements.
type Statement struct {
	Sid    string `json:",omitempty"`
	Effect string
	// Principal is absent from identity policies.
	Principal Principal `json:",omitempty"`
	Action    Values
	// Resource is absent from trust policies and repository policies.
	Resource  Values    `json:",omitempty"`
	Condition Condition `json:",omitempty"`
}

// Principal names the callers that a statement applies to, by kind: AWS or Federated.
type Principal map[string]Values

// Condition holds the values of each condition key, by operator.
type Condition map[string]map[string]Values

// Values holds one or more values. A single one is a string in JSON.
type Values []string

// MarshalJSON writes a single value as a string.
func (v Values) MarshalJSON() ([]byte, error) {
	if len(v) == 1 {
		return json.Marshal(v[0])
	}
	return json.Marshal([]string(v))
}

// UnmarshalJSON reads a string or a list of strings.
func (v *Values) UnmarshalJSON(data []byte) error {
	if len(data) > 0 && data[0] == '"' {
		*v = make(Values, 1)
		return json.Unmarshal(data, &(*v)[0])
	}
	return json.Unmarshal(data, (*[]string)(v))
}

// NewDocument returns a policy with the statements. It unites statements that
// differ in one element only, leaves out a statement that others cover, and makes
// each Sid unique.
func NewDocument(statements ...Statement) Document {
	d := Document{Version: version, Statement: unite(statements)}
	seen := map[string]int{}
	for i := range d.Statement {
		s := &d.Statement[i]
		seen[s.Sid]++
		if n := seen[s.Sid]; n > 1 {
			s.Sid += strconv.Itoa(n)
		}
	}
	return d
}

// allow returns a statement that allows the actions.
func allow(sid string, actions ...string) Statement {
	return Statement{Sid: sid, Effect: "Allow", Action: actions}
}

// on sets the resources.
func (s Statement) on(resources ...string) Statement {
	s.Resource = slices.Clone(resources)
	return s
}

// by sets the principals of the statement.
func (s Statement) by(kind string, principals ...string) Statement {
	s.Principal = Principal{kind: slices.Clone(principals)}
	return s
}

// when adds a condition on a key.
func (s Statement) when(operator, key string, values ...string) Statement {
	all := Condition{}
	for o, keys := range s.Condition {
		all[o] = map[string]Values{}
		for k, v := range keys {
			all[o][k] = v
		}
	}
	if all[operator] == nil {
		all[operator] = map[string]Values{}
	}
	all[operator][key] = slices.Clone(values)
	s.Condition = all
	return s
}
