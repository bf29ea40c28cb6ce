package rule

import (
	"fmt"
	"time"

	"ecr-cross-account-credential-provider/pkg/printable"
	"ecr-cross-account-credential-provider/pkg/registry"
)

// RoleTemplate is a role to assume as the configuration writes it. The
// constructors below check each part.
type RoleTemplate struct {
	arn         arnTemplate
	externalID  string
	sessionName Template
	duration    time.Duration
	tags        []tagTemplate
	policy      PolicyKind
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

// Placeholders are those of session names and tags; the last two have values
// where a service account is the source.
func Placeholders(serviceAccount bool) []string {
	if serviceAccount {
		return []string{"node", "account", "region", "namespace", "serviceAccount"}
	}
	return []string{"node", "account", "region"}
}

// WithSessionName sets the name that CloudTrail shows in the role's account. The
// placeholders that are named can stand in it.
func (r RoleTemplate) WithSessionName(name string, placeholders []string) (RoleTemplate, error) {
	t, err := ParseTemplate(name, placeholders...)
	if err != nil {
		return r, err
	}
	if sample := t.expand(func(string) string { return "x" }); name == "" || !onlyOf(sample, "+=,.@-") {
		return r, fmt.Errorf("%q: a session name has 2 to 64 letters, digits or any of _+=,.@-", printable.Long(name))
	}
	if len(t.parts) == 1 && t.parts[0].placeholder == "" && (len(name) < 2 || len(name) > 64) {
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
		return r, fmt.Errorf("%s is not 15m to %s in whole seconds%s", ShortDuration(d), ShortDuration(most), why)
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

// Duration is how long the session lasts.
func (r RoleTemplate) Duration() time.Duration { return r.duration }

// SessionName is the template of the session's name.
func (r RoleTemplate) SessionName() Template { return r.sessionName }

// HasExternalID tells whether the role is assumed with an external ID.
func (r RoleTemplate) HasExternalID() bool { return r.externalID != "" }

// HasTags tells whether the role is assumed with session tags.
func (r RoleTemplate) HasTags() bool { return len(r.tags) > 0 }

// Role is a role to assume for one registry, every field ready for STS.
type Role struct {
	ARN         string
	ExternalID  string
	SessionName string
	Duration    time.Duration
	Tags        []Tag
	Policy      string // a session policy in JSON; empty is none
}

// Facts are what placeholders stand for, but for those of the registry.
type Facts struct {
	// Node names the node. It is asked only where a placeholder wants it; nil is
	// a node without a name.
	Node func() string
	// Namespace and ServiceAccount are those of the pod.
	Namespace, ServiceAccount string
}

// ARN is the role's ARN for a registry.
func (r RoleTemplate) ARN(reg registry.Registry) (string, error) {
	if p, fixed := r.Partition(); fixed && p != reg.Partition() {
		return "", fmt.Errorf("role %s is in partition %s and the registry in %s; roles are assumed within one partition only",
			r.Template(), p, reg.Partition())
	}
	return r.arn.expand(reg), nil
}

// For resolves the template for a registry, with a session policy for some
// repositories if it has one.
func (r RoleTemplate) For(reg registry.Registry, repositories []string, facts Facts) (Role, error) {
	arn, err := r.ARN(reg)
	if err != nil {
		return Role{}, err
	}
	value := func(placeholder string) string { return facts.value(placeholder, reg) }
	role := Role{
		ARN:         arn,
		ExternalID:  r.externalID,
		SessionName: LegalSessionName(r.sessionName.expand(value)),
		Duration:    r.duration,
		Policy:      r.policy.document(reg.Partition().String(), reg.Region().String(), reg.Account().String(), repositories),
	}
	for _, t := range r.tags {
		tag, err := t.expand(value)
		if err != nil {
			return Role{}, err
		}
		role.Tags = append(role.Tags, tag)
	}
	return role, nil
}

func (f Facts) value(placeholder string, reg registry.Registry) string {
	switch placeholder {
	case "node":
		if f.Node == nil {
			return ""
		}
		return f.Node()
	case "namespace":
		return f.Namespace
	case "serviceAccount":
		return f.ServiceAccount
	}
	return registryValue(placeholder, reg)
}
