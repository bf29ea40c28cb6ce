package rule

import (
	"errors"
	"fmt"
	"path"
	"strings"

	"ecr-cross-account-credential-provider/pkg/printable"
	"ecr-cross-account-credential-provider/pkg/registry"
)

// DefaultRoleAnnotation is the annotation that the stock plugin also reads.
const DefaultRoleAnnotation = "eks.amazonaws.com/ecr-role-arn"

// ServiceAccount says how a pod's service account becomes the source of a chain.
// Its annotation names a role among the allowed ones.
type ServiceAccount struct {
	// RoleAnnotation is the annotation's key.
	RoleAnnotation string
	// RoleARN is the role of service accounts without the annotation. Nil means
	// none.
	RoleARN *RoleTemplate
	// AllowedRoles are the roles that an annotation may name.
	AllowedRoles []RolePattern
	// AnyRole lets an annotation name any role, as the stock plugin does. Then only
	// the role's trust policy decides.
	AnyRole bool
	// NodeWhenNoToken and NodeWhenNoRole say to use the node's own identity if the
	// request has no token, or if nothing names a role.
	NodeWhenNoToken, NodeWhenNoRole bool
}

// ErrNoRole means that neither the annotation nor the configuration names a role.
var ErrNoRole = errors.New("no role")

// Role returns the role that a service account with these annotations starts with. An
// annotation that is empty or not allowed is an error. RoleARN does not replace it.
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

// check returns an error if an annotation is not the ARN of an allowed role.
func (s ServiceAccount) check(arn string, reg registry.Registry) error {
	if arn == "" {
		return errors.New("is empty; name a role, or remove the annotation")
	}
	role, err := parseARN(arn)
	if err == nil && strings.ContainsAny(arn, "{}") {
		err = fmt.Errorf("%q is not an IAM role ARN; want %s", printable.Long(arn), arnForm)
	}
	if err == nil {
		_, err = expandARN(role, reg)
	}
	if err != nil || s.AnyRole {
		return err
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

// RolePattern is a pattern for a role's ARN. In path and name, "*" matches any run
// of characters except "/". {partition}, {account} and {region} stand for the
// registry's. The zero value matches nothing.
type RolePattern struct{ arn Template }

// ParseRolePattern parses an ARN with or without stars. Its partition and account
// must not contain stars.
func ParseRolePattern(s string) (RolePattern, error) {
	// With a letter in place of each star, the text must be an ARN. That fails if
	// the star was in the partition or the account.
	_, err := parseARN(strings.ReplaceAll(s, "*", "x"))
	if parts := strings.SplitN(s, ":", 6); len(parts) == 6 && strings.Contains(parts[4], "*") {
		return RolePattern{}, fmt.Errorf("%q is not a pattern of role ARNs: %w", printable.Long(s), errAccountPattern)
	}
	if err != nil {
		return RolePattern{}, fmt.Errorf("%q is not a pattern of role ARNs; want %s, with * in path and name only", printable.Long(s), arnForm)
	}
	t, err := ParseTemplate(s, "account", "region", "partition")
	return RolePattern{t}, err
}

// String returns the pattern as the configuration writes it.
func (p RolePattern) String() string { return p.arn.String() }

// Partition returns the roles' partition, or false if it is the registry's.
func (p RolePattern) Partition() (registry.Partition, bool) {
	partition, err := registry.ParsePartition(partOf(p.arn, 1))
	return partition, err == nil
}

// Account returns the roles' account, or false if it is the registry's.
func (p RolePattern) Account() (registry.Account, bool) {
	account, err := registry.ParseAccount(partOf(p.arn, 4))
	return account, err == nil
}

// DependsOnRegion reports whether the pattern contains the registry's region.
func (p RolePattern) DependsOnRegion() bool { return strings.Contains(p.arn.String(), "{region}") }

// match compares the whole ARN with the whole pattern. A star of path.Match does
// not match a slash, and ARNs contain no other special characters of path.Match.
func (p RolePattern) match(arn string, reg registry.Registry) bool {
	pattern, err := expandARN(p.arn, reg)
	ok, bad := path.Match(pattern, arn)
	return ok && err == nil && bad == nil
}
