package iampolicy

import (
	"errors"
	"fmt"
	"net/url"
	"strings"

	"ecr-cross-account-credential-provider/pkg/printable"
	"ecr-cross-account-credential-provider/pkg/registry"
	"ecr-cross-account-credential-provider/pkg/rule"
)

// Facts hold what a configuration does not contain. Derive needs only the facts on
// which the requested documents depend. A MissingError names the first missing fact.
type Facts struct {
	// NodeRoles are the roles of the nodes, all in one partition.
	NodeRoles []NodeRole
	// Organization is the ID of the organization that nodes and images belong to.
	Organization string
	// Issuer and Audience are claims of the cluster's service account tokens.
	Issuer, Audience string
	// ServiceAccounts are the service accounts whose pods pull.
	ServiceAccounts []ServiceAccount
	// Region is where the nodes and their VPC endpoints are.
	Region registry.Region
}

// MissingError means that a document depends on an unknown fact.
type MissingError struct {
	// Flag is the command line's flag for the fact.
	Flag string
	what string
}

func (e *MissingError) Error() string { return e.what + "; name it with " + e.Flag }

func missing(flag, format string, args ...any) error {
	return &MissingError{flag, fmt.Sprintf(format, args...)}
}

// NodeRole is the ARN of a role of nodes, or a pattern. A pattern has a star for
// the account, or stars in path and name. ParseNodeRole returns one.
type NodeRole struct {
	arn       string
	partition registry.Partition
	account   registry.Account // zero for a pattern of any account
}

const anyAccount = "000000000000" // stands for any account where the form requires 12 digits

// ParseNodeRole parses the ARN of a role, or a pattern of it.
func ParseNodeRole(s string) (NodeRole, error) {
	parts := strings.SplitN(s, ":", 6)
	ofAny := len(parts) == 6 && parts[4] == "*"
	if ofAny {
		parts[4] = anyAccount
	}
	role, err := rule.NewRoleTemplate(strings.ReplaceAll(strings.Join(parts, ":"), "*", "x"))
	if err != nil || strings.ContainsAny(s, "{}") {
		return NodeRole{}, fmt.Errorf("%q is not the ARN of a role; want one such as arn:aws:iam::111122223333:role/node", printable.Short(s))
	}
	n := NodeRole{arn: s}
	n.partition, _ = role.Partition()
	if !ofAny {
		n.account, _ = role.Account()
	}
	return n, nil
}

// RoleOfSession returns the ARN of a session's role. It has no path, because the
// session's ARN does not contain it. Other ARNs stay unchanged.
func RoleOfSession(arn string) string {
	parts := strings.SplitN(arn, ":", 6)
	if len(parts) < 6 {
		return arn
	}
	session, ok := strings.CutPrefix(parts[5], "assumed-role/")
	if !ok {
		return arn
	}
	name, _, _ := strings.Cut(session, "/")
	return "arn:" + parts[1] + ":iam::" + parts[4] + ":role/" + name
}

// String returns the ARN.
func (n NodeRole) String() string { return n.arn }

// ServiceAccount is a service account, and the role that its annotation names. The
// role is empty without an annotation.
type ServiceAccount struct{ Namespace, Name, RoleARN string }

// ParseServiceAccount parses NAMESPACE/NAME or NAMESPACE/NAME=ROLE_ARN.
func ParseServiceAccount(s string) (ServiceAccount, error) {
	name, arn, annotated := strings.Cut(s, "=")
	namespace, account, ok := strings.Cut(name, "/")
	if !ok || !isObjectName(namespace) || !isObjectName(account) {
		return ServiceAccount{}, fmt.Errorf("%q is not a service account; want NAMESPACE/NAME=ROLE_ARN, or NAMESPACE/NAME if no annotation names its role", printable.Short(s))
	}
	if _, err := rule.NewRoleTemplate(arn); annotated && err != nil {
		return ServiceAccount{}, err
	}
	return ServiceAccount{namespace, account, arn}, nil
}

// isObjectName reports whether s has the form of a name in Kubernetes.
func isObjectName(s string) bool {
	return s != "" && len(s) <= 253 && strings.Trim(s, "abcdefghijklmnopqrstuvwxyz0123456789-.") == ""
}

// String returns NAMESPACE/NAME.
func (s ServiceAccount) String() string { return s.Namespace + "/" + s.Name }

// ParseIssuer parses the URL of a cluster's issuer.
func ParseIssuer(s string) (string, error) {
	u, err := url.Parse(s)
	if err != nil || u.Scheme != "https" || u.Host == "" || u.User != nil || strings.ContainsAny(s, "?# *\"'$\\") {
		return "", fmt.Errorf("%q is not an issuer; want a URL such as https://oidc.eks.eu-west-1.amazonaws.com/id/EXAMPLE", printable.Short(s))
	}
	return s, nil
}

// ParseOrganization parses the ID of an organization.
func ParseOrganization(s string) (string, error) {
	id, ok := strings.CutPrefix(s, "o-")
	if !ok || len(id) < 10 || len(id) > 32 || strings.Trim(id, "abcdefghijklmnopqrstuvwxyz0123456789") != "" {
		return "", fmt.Errorf("%q is not the ID of an organization; want o- and 10 to 32 lower-case letters or digits", printable.Short(s))
	}
	return s, nil
}

// partition returns the partition of all facts. Roles can be assumed within one
// partition only.
func (f Facts) partition() (registry.Partition, error) {
	var known []registry.Partition
	for _, n := range f.NodeRoles {
		known = append(known, n.partition)
	}
	for _, s := range f.ServiceAccounts {
		if role, err := rule.NewRoleTemplate(s.RoleARN); err == nil {
			if p, ok := role.Partition(); ok {
				known = append(known, p)
			}
		}
	}
	if !f.Region.IsZero() {
		known = append(known, f.Region.Partition())
	}
	if len(known) == 0 {
		return registry.Partition{}, errNodeRole
	}
	for _, p := range known {
		if p != known[0] {
			return p, fmt.Errorf("the roles and the region are in the partitions %s and %s; roles are assumed within one partition only, so run the command once for each", known[0], p)
		}
	}
	return known[0], nil
}

var errNodeRole = missing("--node-role", "the role of the nodes is not known")

// IsMissing reports whether err is a MissingError, and returns the flag of the missing
// fact.
func IsMissing(err error) (flag string, ok bool) {
	var m *MissingError
	if !errors.As(err, &m) {
		return "", false
	}
	return m.Flag, true
}
