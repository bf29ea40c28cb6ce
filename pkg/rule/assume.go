package rule

import (
	"time"

	"ecr-cross-account-credential-provider/pkg/registry"
)

// node is the placeholder for the node's name. It stays in a Role, because its
// value may need a call to IMDS.
const node = "node"

// Role is a role to assume for one registry and one pod. If the pod is known, {node} is
// the only placeholder in the role's fields. A Role without placeholders determines one
// call of STS.
type Role struct {
	ARN             string   `json:"arn"`
	ExternalID      string   `json:"externalID,omitempty"`
	SessionName     Template `json:"sessionName"`
	DurationSeconds int      `json:"durationSeconds"`
	Tags            []Tag    `json:"sessionTags,omitempty"`
	Policy          string   `json:"policy,omitempty"` // a session policy in JSON
}

// NewRole returns a role with only an ARN and a session name. Its session lasts
// DefaultDuration.
func NewRole(arn, sessionName string) Role {
	return Role{ARN: arn, SessionName: Template{[]part{{literal: sessionName}}}, DurationSeconds: int(DefaultDuration / time.Second)}
}

// Pod names the pod's service account.
type Pod struct{ Namespace, ServiceAccount string }

// Resolve replaces every placeholder of the template except {node} by its value. A
// session policy is limited to the repositories. With a nil pod, {namespace} and
// {serviceAccount} stay, too.
func (r RoleTemplate) Resolve(reg registry.Registry, repositories []string, pod *Pod) (Role, error) {
	arn, err := r.ARN(reg)
	if err != nil {
		return Role{}, err
	}
	values := map[string]string{"account": reg.Account().String(), "region": reg.Region().String()}
	names := map[string]string{"account": values["account"], "region": values["region"]}
	if pod != nil {
		values["namespace"], values["serviceAccount"] = pod.Namespace, pod.ServiceAccount
		names["namespace"], names["serviceAccount"] = Legal(pod.Namespace), Legal(pod.ServiceAccount)
	}
	role := Role{
		ARN:             arn,
		ExternalID:      r.externalID,
		SessionName:     r.sessionName.with(names),
		DurationSeconds: int(r.duration / time.Second),
		Policy:          r.policy.document(reg.Partition().String(), reg.Region().String(), reg.Account().String(), repositories),
	}
	for _, template := range r.tags {
		tag := Tag{template.Key, template.Value.with(values)}
		if _, err := tag.expand(func(string) string { return "" }); err != nil {
			return Role{}, err
		}
		role.Tags = append(role.Tags, tag)
	}
	return role, nil
}

// Parameters are the parameters of one call of AssumeRole.
type Parameters struct {
	ARN, ExternalID, SessionName string
	Duration                     time.Duration
	Tags                         []TagValue
	Policy                       string
}

// Parameters fills in the node's name. It calls the function for the name only if
// the role has the placeholder {node}.
func (r Role) Parameters(nodeName func() string) (Parameters, error) {
	value := func(string) string { return nodeName() }
	p := Parameters{
		ARN:         r.ARN,
		ExternalID:  r.ExternalID,
		SessionName: LegalSessionName(r.SessionName.expand(value)),
		Duration:    time.Duration(r.DurationSeconds) * time.Second,
		Policy:      r.Policy,
	}
	for _, tag := range r.Tags {
		filled, err := tag.expand(value)
		if err != nil {
			return Parameters{}, err
		}
		p.Tags = append(p.Tags, filled)
	}
	return p, nil
}
