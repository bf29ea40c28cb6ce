package fakeaws

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// document is an IAM policy (IAM User Guide, "IAM JSON policy elements reference").
type document struct {
	Version   string
	ID        string `json:"Id,omitempty"`
	Statement statements

	text string // as it was set
}

// newDocument returns a policy with the statements.
func newDocument(all ...statement) document { return document{Version: "2012-10-17", Statement: all} }

// json returns the text of the policy as it was set. Without a text it returns the JSON
// of its statements.
func (d document) json() string {
	if d.text != "" {
		return d.text
	}
	return MustJSON(d)
}

// statements holds one or more statements.
type statements []statement

// statement is one statement. An element and its Not… form are never both set.
type statement struct {
	Sid         string `json:",omitempty"`
	Effect      string
	Principal   *principals                  `json:",omitempty"`
	Action      values                       `json:",omitempty"`
	NotAction   values                       `json:",omitempty"`
	Resource    values                       `json:",omitempty"`
	NotResource values                       `json:",omitempty"`
	Condition   map[string]map[string]values `json:",omitempty"`

	hasCondition []condition // Condition, parsed
}

// values holds one or more values.
type values []string

// UnmarshalJSON reads one statement or a list.
func (s *statements) UnmarshalJSON(data []byte) error {
	if bytes.HasPrefix(data, []byte("[")) {
		return strict(data, (*[]statement)(s))
	}
	*s = make(statements, 1)
	return strict(data, &(*s)[0])
}

// UnmarshalJSON reads a string, a boolean or a list of them.
func (v *values) UnmarshalJSON(data []byte) error {
	var list []any
	if !bytes.HasPrefix(data, []byte("[")) {
		data = slices.Concat([]byte("["), data, []byte("]"))
	}
	if err := json.Unmarshal(data, &list); err != nil {
		return err
	}
	for _, item := range list {
		switch item.(type) {
		case string, bool:
			*v = append(*v, fmt.Sprint(item))
		default:
			return fmt.Errorf("%v is not a string", item)
		}
	}
	return nil
}

// strict refuses unknown fields, so that a misspelt element is not ignored.
func strict(data []byte, to any) error {
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	return d.Decode(to)
}

// kind is the kind of a policy, which determines its allowed elements.
type kind int

const (
	identityPolicy kind = iota // of a role, or of a session: no Principal
	trustPolicy                // of a role: no Resource
	resourcePolicy             // of a repository: no Resource
	registryPolicy             // of a registry
	endpointPolicy             // of an interface endpoint
	gatewayPolicy              // of a gateway endpoint: only the Principal "*"
)

// parseDocument parses a policy. It refuses policies that AWS refuses, and policies
// that this package cannot evaluate.
func parseDocument(text string, k kind) (document, error) {
	d := document{text: text}
	if err := strict([]byte(text), &d); err != nil {
		return document{}, fmt.Errorf("MalformedPolicyDocument: %w", err)
	}
	if d.Version != "2012-10-17" || len(d.Statement) == 0 {
		return document{}, fmt.Errorf("MalformedPolicyDocument: want version 2012-10-17 and statements")
	}
	sids := map[string]bool{}
	for i := range d.Statement {
		s := &d.Statement[i]
		if err := s.check(k); err != nil {
			return document{}, fmt.Errorf("MalformedPolicyDocument: statement %d: %w", i, err)
		}
		if s.Sid != "" && sids[s.Sid] {
			return document{}, fmt.Errorf("MalformedPolicyDocument: duplicate Sid %s", s.Sid)
		}
		sids[s.Sid] = true
	}
	return d, nil
}

func (s *statement) check(k kind) (err error) {
	hasPrincipal, hasResource := s.Principal != nil, len(s.Resource)+len(s.NotResource) > 0
	wantResource := k == identityPolicy || k == registryPolicy || k == endpointPolicy || k == gatewayPolicy
	switch {
	case s.Effect != "Allow" && s.Effect != "Deny":
		return fmt.Errorf("effect %q", s.Effect)
	case (len(s.Action) > 0) == (len(s.NotAction) > 0):
		return fmt.Errorf("want Action or NotAction")
	case hasPrincipal != (k != identityPolicy):
		return fmt.Errorf("has a Principal: %t", hasPrincipal)
	case hasResource != wantResource || len(s.Resource) > 0 && len(s.NotResource) > 0:
		return fmt.Errorf("has a Resource: %t", hasResource)
	case strings.Trim(s.Sid, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789") != "":
		return fmt.Errorf("sid %q", s.Sid)
	}
	if err := s.checkActions(k); err != nil {
		return err
	}
	if s.Principal != nil {
		if err := s.Principal.check(k); err != nil {
			return err
		}
	}
	s.hasCondition, err = parseConditions(s.Condition)
	return err
}

// checkActions refuses unknown actions. A trust policy accepts only STS actions.
func (s *statement) checkActions(k kind) error {
	for _, name := range slices.Concat(s.Action, s.NotAction) {
		service, operation, _ := strings.Cut(name, ":")
		known := slices.Contains([]string{"sts", "ecr", "ecr-public", "s3", "iam"}, service) && operation != "" || name == "*"
		if !known || k == trustPolicy && service != "sts" && name != "*" {
			return fmt.Errorf("action %q", name)
		}
	}
	for _, text := range slices.Concat(s.Action, s.NotAction, s.Resource, s.NotResource) {
		if strings.Contains(text, "${") {
			return fmt.Errorf("policy variable in %q", text)
		}
	}
	return nil
}

// matches reports whether a text matches a pattern. "*" stands for any run of
// characters, "?" for any one.
func matches(pattern, text string) bool {
	for len(pattern) > 0 {
		switch pattern[0] {
		case '*':
			for i := len(text); i >= 0; i-- {
				if matches(pattern[1:], text[i:]) {
					return true
				}
			}
			return false
		case '?':
			if text == "" {
				return false
			}
		default:
			if text == "" || text[0] != pattern[0] {
				return false
			}
		}
		pattern, text = pattern[1:], text[1:]
	}
	return text == ""
}

func (v values) match(text string) bool {
	return slices.ContainsFunc(v, func(pattern string) bool { return matches(pattern, text) })
}

// matchAction reports whether a value matches an action. It ignores case, as IAM does.
func (v values) matchAction(action string) bool {
	return slices.ContainsFunc(v, func(pattern string) bool { return matches(strings.ToLower(pattern), strings.ToLower(action)) })
}
