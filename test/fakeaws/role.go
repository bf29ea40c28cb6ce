package fakeaws

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Role is an IAM role.
type Role struct {
	ARN string
	// Trust lists who may assume the role.
	Trust []Trust
	// MaxSession is the maximum length of its sessions. Zero means 1h.
	MaxSession time.Duration
	// DenyToken denies the role ecr:GetAuthorizationToken.
	DenyToken bool
	// Pull lists the repositories that the role may pull: ARNs, or prefixes of ARNs
	// that end in *.
	Pull []string
	// TrustPolicy is a trust policy in JSON, in place of Trust.
	TrustPolicy string
	// Policies are the role's permissions in JSON, by name, in place of DenyToken and
	// Pull. A role without Policies may also assume every role, and may request tokens
	// unless DenyToken is set.
	Policies map[string]string
	// Tags are the tags of the role itself, not of its sessions.
	Tags map[string]string
}

// Trust is a statement of a trust policy.
type Trust struct {
	// Principal is the ARN of a role, or an account number, which means the whole
	// account. For AssumeRoleWithWebIdentity, it is the subject of a token:
	// system:serviceaccount:NAMESPACE:NAME.
	Principal string
	// ExternalID is the external ID that AssumeRole must have. Empty means that none is
	// required.
	ExternalID string
	// TagSession allows session tags.
	TagSession bool
}

// Everybody is the principal of a trust policy that trusts everybody.
const Everybody = "*"

// anySubject is the key of a token's subject, for any issuer.
const anySubject = "*:sub"

// statement returns the statement in IAM's form.
func (t Trust) statement() statement {
	s := statement{Effect: "Allow", Action: values{"sts:AssumeRole", "sts:AssumeRoleWithWebIdentity"}, Principal: &principals{"AWS": {t.Principal}}}
	if t.TagSession {
		s.Action = append(s.Action, "sts:TagSession")
	}
	switch {
	case strings.HasPrefix(t.Principal, "system:serviceaccount:"):
		s.Principal = &principals{"AWS": {"*"}}
		s.Condition = map[string]map[string]values{"StringEquals": {anySubject: {t.Principal}}}
	case t.ExternalID != "":
		s.Condition = map[string]map[string]values{"StringEquals": {"sts:ExternalId": {t.ExternalID}}}
	}
	s.hasCondition, _ = parseConditions(s.Condition) // the operators and keys are known
	return s
}

// trustPolicy returns the role's trust policy.
func (r Role) trustPolicy() document {
	if r.TrustPolicy != "" {
		d, _ := parseDocument(r.TrustPolicy, trustPolicy) // SetRole has parsed it
		return d
	}
	var all []statement
	for _, t := range r.Trust {
		all = append(all, t.statement())
	}
	return newDocument(all...)
}

// pullActions are the actions on a repository that a pull needs.
var pullActions = values{"ecr:BatchGetImage", "ecr:BatchCheckLayerAvailability", "ecr:GetDownloadUrlForLayer"}

// permissions returns the role's permissions.
func (r Role) permissions() []document {
	if r.Policies != nil {
		var all []document
		for _, text := range r.Policies {
			d, _ := parseDocument(text, identityPolicy) // SetRole has parsed it
			all = append(all, d)
		}
		return all
	}
	s := []statement{{Effect: "Allow", Action: values{"sts:*"}, Resource: values{"*"}}}
	if !r.DenyToken {
		s = append(s, statement{Effect: "Allow", Action: values{"ecr:GetAuthorizationToken", "ecr-public:GetAuthorizationToken"}, Resource: values{"*"}})
	}
	if len(r.Pull) > 0 {
		s = append(s, statement{Effect: "Allow", Action: pullActions, Resource: r.Pull})
	}
	return []document{newDocument(s...)}
}

// check parses the role's policies.
func (r Role) check() error {
	if r.TrustPolicy != "" {
		if _, err := parseDocument(r.TrustPolicy, trustPolicy); err != nil {
			return fmt.Errorf("the trust policy of %s: %w", r.ARN, err)
		}
	}
	for name, text := range r.Policies {
		if _, err := parseDocument(text, identityPolicy); err != nil {
			return fmt.Errorf("policy %s of %s: %w", name, r.ARN, err)
		}
	}
	return nil
}

// SetRole adds or changes a role. It panics if a policy is invalid, because a test
// with a misspelt element would prove nothing.
func (w *World) SetRole(r Role) {
	if err := r.check(); err != nil {
		panic(err)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.roles[r.ARN] = r
}

func (r Role) checkDuration(d time.Duration, chained bool) *apiError {
	most := r.MaxSession
	if most == 0 {
		most = time.Hour
	}
	switch {
	case chained && d > time.Hour:
		return &apiError{400, "ValidationError", "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining"}
	case d < 15*time.Minute || d > most:
		return &apiError{400, "ValidationError", "The requested DurationSeconds exceeds the MaxSessionDuration set for this role."}
	}
	return nil
}

// sessionPolicy parses the session policy of credentials or a token. For an empty text,
// it returns a policy that allows everything. For an invalid text, it returns no policy,
// and the session may do nothing.
func sessionPolicy(text string) []document {
	d, err := parseDocument(text, identityPolicy)
	switch {
	case text == "":
		return []document{newDocument(statement{Effect: "Allow", Action: values{"*"}, Resource: values{"*"}})}
	case err != nil:
		return nil
	}
	return []document{d}
}

// pullStatement returns a policy with one statement, which lets principals pull from a
// repository or registry.
func pullStatement(principal ...string) document {
	return newDocument(statement{Effect: "Allow", Action: pullActions, Principal: &principals{"AWS": slices.Clone(principal)}})
}

// MustJSON returns a policy document as JSON, for TrustPolicy and Policies.
func MustJSON(document any) string {
	text, err := json.Marshal(document)
	if err != nil {
		panic(err)
	}
	return string(text)
}
