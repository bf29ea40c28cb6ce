package fakeaws

import (
	"encoding/json"
	"slices"
	"strings"
)

// policyAllows evaluates the session policy of the session that asked for the
// token: it can only narrow, and none narrows nothing.
func (g Grant) policyAllows(action string, from Repository) bool {
	if g.Policy == "" {
		return true
	}
	var document struct {
		Statement []struct {
			Effect           string
			Action, Resource []string
		}
	}
	if err := json.Unmarshal([]byte(g.Policy), &document); err != nil {
		return false
	}
	for _, s := range document.Statement {
		covers := func(pattern string) bool {
			prefix, wild := strings.CutSuffix(pattern, "*")
			return pattern == from.ARN() || wild && strings.HasPrefix(from.ARN(), prefix)
		}
		if s.Effect == "Allow" && slices.Contains(s.Action, action) && slices.ContainsFunc(s.Resource, covers) {
			return true
		}
	}
	return false
}
