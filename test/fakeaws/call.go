package fakeaws

import (
	"fmt"
	"strings"
	"time"
)

// Service is one of the services.
type Service string

// These are the services.
const (
	IMDS      Service = "imds"
	STS       Service = "sts"
	ECR       Service = "ecr"
	ECRPublic Service = "ecr-public"
	IAM       Service = "iam"      // the Query API, for roles and OIDC providers
	Registry  Service = "registry" // all private registries, by their host names
	S3        Service = "s3"       // the buckets of the registries' layers
	Proxy     Service = "proxy"    // connects AWS's host names to the other services
)

// Call is a request and its outcome.
type Call struct {
	Service   Service
	Operation string
	// Region is the region of the credential scope. For Registry and S3 it is the region
	// in the host name.
	Region string
	// Principal is the ARN of the signer. For Registry it is that of the session that
	// requested the token. For AssumeRoleWithWebIdentity it is the token's subject.
	Principal string
	// Host is the host name that was called.
	Host string
	// Role, Session, ExternalID and Duration are parameters of the AssumeRole
	// operations.
	Role, Session, ExternalID string
	Duration                  time.Duration
	// Tags and Policy are also parameters of AssumeRole, as KEY=VALUE and as JSON.
	Tags   []string
	Policy string
	// Outcome is "ok", the error's code (its status if it has no code), or the active
	// fault.
	Outcome string
}

// String returns the call in one line: who called what, in which region.
func (c Call) String() string {
	var s strings.Builder
	fmt.Fprintf(&s, "%s %s", c.Service, c.Operation)
	if c.Region != "" {
		fmt.Fprintf(&s, " in %s", c.Region)
	}
	if c.Principal != "" {
		fmt.Fprintf(&s, " as %s", c.Principal)
	}
	if c.Role != "" {
		fmt.Fprintf(&s, ": role %s, session %s, %s", c.Role, c.Session, c.Duration)
	}
	if c.ExternalID != "" {
		s.WriteString(", with an external ID")
	}
	if len(c.Tags) > 0 {
		fmt.Fprintf(&s, ", tags %s", strings.Join(c.Tags, " "))
	}
	if c.Policy != "" {
		fmt.Fprintf(&s, ", policy %s", c.Policy)
	}
	return s.String() + " -> " + c.Outcome
}
