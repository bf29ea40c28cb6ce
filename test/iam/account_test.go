//go:build linux

package iam_test

import (
	"bytes"
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"ecr-cross-account-credential-provider/pkg/command"
	"ecr-cross-account-credential-provider/pkg/iampolicy"
	"ecr-cross-account-credential-provider/pkg/operator"
	"ecr-cross-account-credential-provider/test/fakeaws"
)

// item is one document in the form in which the command prints it.
type item struct {
	Account, Name, AttachTo string
	Kind                    iampolicy.Kind
	Document                json.RawMessage
	MaxSessionDuration      int

	policy   iampolicy.Document
	provider iampolicy.Provider
}

// documents runs the command iam with each of the example's argument lists.
func (e example) documents(t *testing.T, file string) (all []item) {
	t.Helper()
	for _, run := range e.runs {
		args := []string{"iam", "--config", file}
		for _, role := range e.nodeRoles {
			args = append(args, "--node-role", role)
		}
		if len(e.nodeRoles) == 0 {
			args = append(args, "--node-role", nodeRole)
		}
		var items []item
		if err := json.Unmarshal([]byte(runIAM(t, append(args, strings.Fields(run)...)...)), &items); err != nil {
			t.Fatal(err)
		}
		all = append(all, items...)
	}
	for i := range all {
		var into any = &all[i].policy
		if all[i].Kind == iampolicy.OIDCProvider {
			into = &all[i].provider
		}
		if err := json.Unmarshal(all[i].Document, into); err != nil {
			t.Fatal(err)
		}
	}
	return all
}

func runIAM(t *testing.T, args ...string) string {
	t.Helper()
	var stdout, stderr bytes.Buffer
	status := operator.Main(t.Context(), command.Process{
		Args: args, Stdout: &stdout, Stderr: &stderr,
		Getenv: func(string) string { return "" }, Environ: func() []string { return nil },
	})
	if status != 0 || stderr.Len() > 0 {
		t.Fatalf("%q: status %d, %s", args, status, &stderr)
	}
	return stdout.String()
}

// apply sets up the accounts exactly as the documents describe them.
func apply(w *fakeaws.World, items []item) {
	roles := map[string]fakeaws.Role{}
	for _, i := range items {
		r := roles[i.AttachTo]
		switch i.Kind {
		case iampolicy.TrustPolicy:
			r.TrustPolicy, r.MaxSession = fakeaws.MustJSON(i.policy), time.Duration(i.MaxSessionDuration)*time.Second
		case iampolicy.PermissionsPolicy, iampolicy.NodePolicy:
			r.Policies = map[string]string{i.Name: fakeaws.MustJSON(i.policy)}
		case iampolicy.EndpointPolicy:
			w.SetEndpointPolicy(fakeaws.Endpoint(strings.TrimPrefix(i.AttachTo, "com.amazonaws."+region+".")), fakeaws.MustJSON(i.policy))
			continue
		case iampolicy.OIDCProvider:
			w.SetProvider(i.Account, i.provider.URL, i.provider.ClientIDList...)
			continue
		case iampolicy.RepositoryPolicy:
			applyTo(w, i)
			continue
		}
		r.ARN = i.AttachTo
		roles[i.AttachTo] = r
	}
	for _, r := range roles {
		if r.Policies == nil {
			r.Policies = map[string]string{}
		}
		w.SetRole(r)
	}
}

// applyTo sets a policy for those repositories of the examples to which it applies.
func applyTo(w *fakeaws.World, i item) {
	for _, p := range []pull{images, shop, own} {
		if prefix, _ := strings.CutSuffix(i.AttachTo, "*"); strings.HasPrefix(p.from.ARN(), prefix) {
			if err := w.SetResourcePolicy(p.from, fakeaws.MustJSON(i.policy)); err != nil {
				panic(err) // like SetRole
			}
		}
	}
}

// change holds the documents without one part.
type change struct {
	what  string
	items []item
	// condition is the key of the removed condition. The key is followed by a value if
	// only that value was removed. An empty text means that another part was removed.
	condition string
}

// changes returns the documents once for each of their parts, without that part.
func changes(items []item) (all []change) {
	for at, i := range items {
		if i.Kind == iampolicy.OIDCProvider {
			all = append(all, change{what: i.Account + " without " + i.AttachTo, items: slices.Delete(slices.Clone(items), at, at+1)})
			continue
		}
		for n, s := range i.policy.Statement {
			with := func(what, condition string, statements ...iampolicy.Statement) {
				changed := slices.Clone(items)
				changed[at].policy.Statement = slices.Concat(i.policy.Statement[:n], statements, i.policy.Statement[n+1:])
				if len(changed[at].policy.Statement) == 0 {
					changed[at].policy.Statement = []iampolicy.Statement{nothing(s)}
				}
				all = append(all, change{string(i.Kind) + " of " + i.AttachTo + ", " + s.Sid + ": " + what, changed, condition})
			}
			with("the whole statement", "")
			less(s.Action, func(v iampolicy.Values, what string) { c := s; c.Action = v; with("action "+what, "", c) })
			less(s.Resource, func(v iampolicy.Values, what string) { c := s; c.Resource = v; with("resource "+what, "", c) })
			for kind := range s.Principal {
				less(s.Principal[kind], func(v iampolicy.Values, what string) {
					c := s
					c.Principal = iampolicy.Principal{kind: v}
					with("principal "+what, "", c)
				})
			}
			for operator, keys := range s.Condition {
				for key := range keys {
					if i.Kind != iampolicy.EndpointPolicy {
						with("condition "+key, key, without(s, operator, key, nil))
					}
					if !strings.HasPrefix(operator, "StringNot") {
						with("the right value of condition "+key, "", without(s, operator, key, iampolicy.Values{"arn:aws:iam::111122223333:role/another"}))
					}
					less(keys[key], func(v iampolicy.Values, what string) {
						condition := ""
						if strings.HasPrefix(operator, "StringNot") { // fewer values allow more
							condition = key + " " + what
						}
						with("value "+what+" of condition "+key, condition, without(s, operator, key, v))
					})
				}
			}
		}
	}
	return all
}

// less calls a function once for each value, with all values except that one. It does
// nothing for a single value.
func less(v iampolicy.Values, with func(iampolicy.Values, string)) {
	for i := range v {
		if len(v) > 1 {
			with(slices.Delete(slices.Clone(v), i, i+1), v[i])
		}
	}
}

// without returns the statement with other values for a condition. With nil it returns
// the statement without the condition.
func without(s iampolicy.Statement, operator, key string, values iampolicy.Values) iampolicy.Statement {
	all := iampolicy.Condition{}
	for o, keys := range s.Condition {
		all[o] = maps.Clone(keys)
	}
	if all[operator][key] = values; values == nil {
		delete(all[operator], key)
	}
	if len(all[operator]) == 0 {
		delete(all, operator)
	}
	if s.Condition = all; len(all) == 0 {
		s.Condition = nil
	}
	return s
}

// nothing returns a statement that allows nothing, because a policy must have at
// least one statement.
func nothing(like iampolicy.Statement) iampolicy.Statement {
	like.Effect, like.Action, like.Condition = "Deny", iampolicy.Values{"*"}, nil
	if like.Principal != nil {
		like.Principal = iampolicy.Principal{"AWS": {"*"}}
	}
	if like.Resource != nil {
		like.Resource = iampolicy.Values{"*"}
	}
	return like
}
