package rule

import (
	"fmt"
	"strings"
	"time"

	"ecr-cross-account-credential-provider/pkg/printable"
	"ecr-cross-account-credential-provider/pkg/registry"
)

// RoleTemplate is a role to assume, as the configuration writes it. NewRoleTemplate
// and the With methods check each part.
type RoleTemplate struct {
	arn         Template
	externalID  string
	sessionName Template
	duration    time.Duration
	tags        []Tag
	policy      PolicyKind
}

// Limits of AssumeRole (STS API reference). If an assumed role's credentials assume
// a role ("role chaining"), the session lasts 1h at most.
const (
	MinDuration        = 15 * time.Minute
	MaxDuration        = 12 * time.Hour
	MaxChainedDuration = time.Hour
	DefaultDuration    = time.Hour
)

// NewRoleTemplate returns a template for a role's ARN. In it, {partition},
// {account} and {region} stand for the registry's. The session is named {node} and
// lasts DefaultDuration.
func NewRoleTemplate(arn string) (RoleTemplate, error) {
	parsed, err := parseARN(arn)
	if err != nil {
		return RoleTemplate{}, err
	}
	return RoleTemplate{
		arn:         parsed,
		sessionName: Template{parts: []part{{placeholder: node}}},
		duration:    DefaultDuration,
	}, nil
}

// WithExternalID adds the external ID that the role's trust policy can require.
func (r RoleTemplate) WithExternalID(id string) (RoleTemplate, error) {
	if len(id) < 2 || len(id) > 1224 || !onlyOf(id, nameText+":/") {
		return r, fmt.Errorf("an external ID has 2 to 1224 letters, digits or any of _+=,.@:/-")
	}
	r.externalID = id
	return r, nil
}

// Placeholders returns the placeholders of session names and tags. Those of the pod
// exist only if a service account is the source.
func Placeholders(serviceAccount bool) []string {
	names := []string{node, "account", "region"}
	if serviceAccount {
		names = append(names, "namespace", "serviceAccount")
	}
	return names
}

// WithSessionName sets the name that CloudTrail shows in the role's account. It can
// contain the given placeholders.
func (r RoleTemplate) WithSessionName(name string, placeholders []string) (RoleTemplate, error) {
	t, err := ParseTemplate(name, placeholders...)
	if err != nil {
		return r, err
	}
	if sample := t.expand(func(string) string { return "x" }); name == "" || !onlyOf(sample, nameText) {
		return r, fmt.Errorf("%q: a session name has 2 to 64 letters, digits or any of _+=,.@-", printable.Long(name))
	}
	if len(t.parts) == 1 && t.parts[0].literal != "" && (len(name) < 2 || len(name) > 64) {
		return r, fmt.Errorf("%q: a session name has 2 to 64 characters", printable.Long(name))
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
		return r, fmt.Errorf("%s is not allowed; want 15m to %s in whole seconds%s", ShortDuration(d), ShortDuration(most), why)
	}
	r.duration = d
	return r, nil
}

// Template returns the role's ARN as the configuration writes it.
func (r RoleTemplate) Template() string { return r.arn.String() }

// Partition returns the role's partition, or false if it is the registry's.
func (r RoleTemplate) Partition() (registry.Partition, bool) {
	p, err := registry.ParsePartition(partOf(r.arn, 1))
	return p, err == nil
}

// Account returns the role's account, or false if it is the registry's.
func (r RoleTemplate) Account() (registry.Account, bool) {
	a, err := registry.ParseAccount(partOf(r.arn, 4))
	return a, err == nil
}

// Duration returns how long the session lasts.
func (r RoleTemplate) Duration() time.Duration { return r.duration }

// HasExternalID reports whether the role is assumed with an external ID.
func (r RoleTemplate) HasExternalID() bool { return r.externalID != "" }

// HasTags reports whether the role is assumed with session tags.
func (r RoleTemplate) HasTags() bool { return len(r.tags) > 0 }

// ARNOfAny returns the role's ARN for the registries of any account, as an IAM
// pattern.
func (r RoleTemplate) ARNOfAny(reg registry.Registry) (string, error) {
	return expandARN(r.arn.with(map[string]string{"account": "*"}), reg)
}

// DependsOnRegion reports whether the role's ARN contains the registry's region.
func (r RoleTemplate) DependsOnRegion() bool {
	return strings.Contains(r.arn.String(), "{region}")
}

// ARN returns the role's ARN for a registry.
func (r RoleTemplate) ARN(reg registry.Registry) (string, error) { return expandARN(r.arn, reg) }
