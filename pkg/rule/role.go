package rule

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"ecr-cross-account-credential-provider/pkg/registry"
)

// RoleTemplate is a role to assume as the configuration writes it. The
// constructors below check each part.
type RoleTemplate struct {
	arn         arnTemplate
	externalID  string
	sessionName Template
	duration    time.Duration
}

// Limits of AssumeRole (STS API reference). A role that is assumed with an
// assumed role's credentials ("role chaining") gives sessions of 1h at most.
const (
	MinDuration        = 15 * time.Minute
	MaxDuration        = 12 * time.Hour
	MaxChainedDuration = time.Hour
	DefaultDuration    = time.Hour
)

// NewRoleTemplate takes a role's ARN, in which {partition}, {account} and
// {region} stand for the registry's. The session is named {node} and lasts
// DefaultDuration.
func NewRoleTemplate(arn string) (RoleTemplate, error) {
	parsed, err := parseARN(arn)
	if err != nil {
		return RoleTemplate{}, err
	}
	return RoleTemplate{
		arn:         parsed,
		sessionName: Template{text: "{node}", parts: []part{{placeholder: "node"}}},
		duration:    DefaultDuration,
	}, nil
}

// WithExternalID adds what the role's trust policy may ask for.
func (r RoleTemplate) WithExternalID(id string) (RoleTemplate, error) {
	if len(id) < 2 || len(id) > 1224 || !onlyOf(id, "+=,.@:/-") {
		return r, fmt.Errorf("an external ID has 2 to 1224 letters, digits or any of _+=,.@:/-")
	}
	r.externalID = id
	return r, nil
}

// WithSessionName sets the name that CloudTrail shows in the role's account.
// {node}, {account} and {region} can stand in it.
func (r RoleTemplate) WithSessionName(name string) (RoleTemplate, error) {
	t, err := ParseTemplate(name, "node", "account", "region")
	if err != nil {
		return r, err
	}
	if sample := t.expand(func(string) string { return "x" }); name == "" || !onlyOf(sample, "+=,.@-") {
		return r, fmt.Errorf("%q: a session name has 2 to 64 letters, digits or any of _+=,.@-", shorten(name))
	}
	if len(t.parts) == 1 && t.parts[0].placeholder == "" && (len(name) < 2 || len(name) > 64) {
		return r, fmt.Errorf("%q: a session name has 2 to 64 characters", shorten(name))
	}
	r.sessionName = t
	return r, nil
}

// WithDuration sets how long the session lasts.
func (r RoleTemplate) WithDuration(d time.Duration, chained bool) (RoleTemplate, error) {
	most, why := MaxDuration, ""
	if chained {
		most, why = MaxChainedDuration, " for a role assumed by another role"
	}
	if d < MinDuration || d > most || d%time.Second != 0 {
		return r, fmt.Errorf("%s is not 15m to %s in whole seconds%s", short(d), short(most), why)
	}
	r.duration = d
	return r, nil
}

// Template is the role's ARN as the configuration writes it.
func (r RoleTemplate) Template() string {
	return "arn:" + r.arn.partition + ":iam::" + r.arn.account + ":" + r.arn.resource.String()
}

// Partition is the role's partition, and false where it is the registry's.
func (r RoleTemplate) Partition() (registry.Partition, bool) {
	p, err := registry.ParsePartition(r.arn.partition)
	return p, err == nil
}

// Role is a role to assume for one registry, every field ready for STS.
type Role struct {
	ARN         string
	ExternalID  string
	SessionName string
	Duration    time.Duration
}

// For resolves the template for a registry. node names the node in session
// names; it is asked for only where a name wants it.
func (r RoleTemplate) For(reg registry.Registry, node func() string) (Role, error) {
	if p, fixed := r.Partition(); fixed && p != reg.Partition() {
		return Role{}, fmt.Errorf("role %s is in partition %s and the registry in %s; roles are assumed within one partition only",
			r.Template(), p, reg.Partition())
	}
	name := r.sessionName.expand(func(placeholder string) string {
		if placeholder == "node" {
			return node()
		}
		return registryValue(placeholder, reg)
	})
	return Role{
		ARN:         r.arn.expand(reg),
		ExternalID:  r.externalID,
		SessionName: legalSessionName(name),
		Duration:    r.duration,
	}, nil
}

// SessionName is the template of the session's name.
func (r RoleTemplate) SessionName() Template { return r.sessionName }

// legalSessionName makes a name of 2 to 64 characters of [\w+=,.@-] of any
// text, as RoleSessionName wants it (STS API, AssumeRole).
func legalSessionName(s string) string {
	legal := []byte(s)
	for i, c := range legal {
		if !isWord(c) && !strings.ContainsRune("+=,.@-", rune(c)) {
			legal[i] = '-'
		}
	}
	legal = slices.Concat(legal, []byte("--"))[:max(2, len(legal))]
	return string(legal[:min(64, len(legal))])
}

// onlyOf tells whether s has nothing but letters, digits, _ and the extra ones.
func onlyOf(s, extra string) bool {
	for i := range len(s) {
		if !isWord(s[i]) && !strings.ContainsRune(extra, rune(s[i])) {
			return false
		}
	}
	return true
}

func isWord(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '_'
}

// short is a duration without the zeros that time.Duration prints: 1h, not 1h0m0s.
func short(d time.Duration) string {
	s := d.String()
	for _, zeros := range []string{"m0s", "h0m"} {
		if strings.HasSuffix(s, zeros) {
			s = s[:len(s)-len(zeros)+1]
		}
	}
	return s
}

// HasExternalID tells whether the role is assumed with an external ID.
func (r RoleTemplate) HasExternalID() bool { return r.externalID != "" }
