package rule

import (
	"errors"
	"fmt"
	"path"
	"strings"

	"ecr-cross-account-credential-provider/pkg/printable"
	"ecr-cross-account-credential-provider/pkg/registry"
)

// DefaultRoleAnnotation is the annotation that the stock plugin reads, too.
const DefaultRoleAnnotation = "eks.amazonaws.com/ecr-role-arn"

// ServiceAccount is how a pod's service account becomes the source of a chain:
// by the role that its annotation names, among those that are allowed.
type ServiceAccount struct {
	// RoleAnnotation is the annotation's key.
	RoleAnnotation string
	// RoleARN is the role of service accounts without the annotation; nil is none.
	RoleARN *RoleTemplate
	// AllowedRoles are what an annotation may name.
	AllowedRoles []RolePattern
	// AnyRole lets it name any role, whose trust policy decides: what the stock
	// plugin does.
	AnyRole bool
	// NodeWhenNoToken and NodeWhenNoRole say to use the node's own identity where
	// the request has no token, or nothing names a role.
	NodeWhenNoToken, NodeWhenNoRole bool
}

// ErrNoRole is that neither annotation nor configuration names a role.
var ErrNoRole = errors.New("no role")

// Role is the role that a service account with these annotations starts with.
// An annotation that is there decides, whatever it holds: one that is empty or
// not allowed is an error and never falls back.
func (s ServiceAccount) Role(reg registry.Registry, annotations map[string]string) (string, error) {
	arn, annotated := annotations[s.RoleAnnotation]
	switch {
	case annotated:
		if err := s.check(arn, reg); err != nil {
			return "", fmt.Errorf("the service account's annotation %s: %w", s.RoleAnnotation, err)
		}
		return arn, nil
	case s.RoleARN != nil:
		return s.RoleARN.ARN(reg)
	}
	return "", ErrNoRole
}

// check tells whether an annotation is the ARN of a role that is allowed.
func (s ServiceAccount) check(arn string, reg registry.Registry) error {
	if arn == "" {
		return errors.New("is empty; name a role, or take it off")
	}
	parsed, err := parseARN(arn)
	if err != nil {
		return err
	}
	if strings.ContainsAny(arn, "{}") {
		return fmt.Errorf("%q is not an IAM role ARN; want %s", printable.Long(arn), arnForm)
	}
	if parsed.partition != reg.Partition().String() {
		return fmt.Errorf("role %s is in partition %s and the registry in %s; roles are assumed within one partition only",
			printable.Long(arn), parsed.partition, reg.Partition())
	}
	if s.AnyRole {
		return nil
	}
	allowed := make([]string, len(s.AllowedRoles))
	for i, pattern := range s.AllowedRoles {
		if pattern.match(arn, reg) {
			return nil
		}
		allowed[i] = pattern.String()
	}
	return fmt.Errorf("role %s is not one of allowedRoles (%s)", printable.Long(arn), printable.Long(strings.Join(allowed, ", ")))
}

// RolePattern is a role's ARN in whose path and name "*" stands for any run of
// characters but "/", and in which {partition}, {account} and {region} stand for
// the registry's. ParseRolePattern makes it; the zero value matches nothing.
type RolePattern struct{ arn arnTemplate }

// ParseRolePattern takes an ARN with or without stars. Its partition and account
// are never patterns.
func ParseRolePattern(s string) (RolePattern, error) {
	// A star stands where a letter could: what is left must be an ARN, which it
	// is not with a letter in the account, or another one in the partition.
	if _, err := parseARN(strings.ReplaceAll(s, "*", "x")); err != nil {
		return RolePattern{}, fmt.Errorf("%q is not a pattern of role ARNs; want %s, with * in path and name only", printable.Long(s), arnForm)
	}
	parts := strings.SplitN(s, ":", 6)
	resource, err := ParseTemplate(parts[5], "account", "region", "partition")
	return RolePattern{arnTemplate{parts[1], parts[4], resource}}, err
}

// String is the pattern as it was written.
func (p RolePattern) String() string {
	return "arn:" + p.arn.partition + ":iam::" + p.arn.account + ":" + p.arn.resource.String()
}

// match compares the whole of both. A star of path.Match does not cross a slash,
// and ARNs have none of its other special characters.
func (p RolePattern) match(arn string, reg registry.Registry) bool {
	ok, err := path.Match(p.arn.expand(reg), arn)
	return ok && err == nil
}
