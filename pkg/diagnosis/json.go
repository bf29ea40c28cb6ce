package diagnosis

import (
	"encoding/json"
	"io"
)

// These types are the JSON form of a report. The names of their fields are stable.
type (
	reportJSON struct {
		Success bool         `json:"success"`
		Checks  []checkJSON  `json:"checks"`
		Verdict *verdictJSON `json:"verdict"` // null if nothing failed
	}
	checkJSON struct {
		Code        string `json:"code"`
		Group       string `json:"group"`
		Description string `json:"description"`
		Result      Result `json:"result"`
		Image       string `json:"image,omitempty"`
		Detail      string `json:"detail,omitempty"`
		Hint        string `json:"hint,omitempty"`
	}
	verdictJSON struct {
		Cause     string `json:"cause"`
		Side      Side   `json:"side"`
		Account   string `json:"account,omitempty"`
		Policy    string `json:"policy,omitempty"`   // the kind of the policy in which the statement is missing
		AttachTo  string `json:"attachTo,omitempty"` // the resource with that policy
		Statement any    `json:"statement,omitempty"`
	}
)

// WriteJSON writes the report as JSON.
func (r *Report) WriteJSON(w io.Writer) error {
	out := reportJSON{Success: r.Success(), Checks: []checkJSON{}}
	for _, c := range r.Checks {
		out.Checks = append(out.Checks, checkJSON{
			Code: c.Kind.Code, Group: c.Kind.Group, Description: c.Description(), Result: c.Result,
			Image: c.Image, Detail: c.Detail, Hint: c.Hint,
		})
	}
	if v, ok := r.Verdict(); ok {
		out.Verdict = &verdictJSON{Cause: v.Check.Kind.Code, Side: v.Side, Account: v.Account}
		if m := v.Missing; m != nil {
			out.Verdict.Policy, out.Verdict.AttachTo, out.Verdict.Statement = m.Kind, m.AttachTo, m.Statement
		}
	}
	encoder := json.NewEncoder(w)
	encoder.SetIndent("", "  ")
	encoder.SetEscapeHTML(false)
	return encoder.Encode(out)
}
