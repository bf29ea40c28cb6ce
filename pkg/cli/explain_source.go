package cli

import (
	"strings"

	"ecr-cross-account-credential-provider/pkg/rule"
)

// source explains which identity starts the chain of roles.
func (e *explanation) source(d decided) {
	account := d.Entry.ServiceAccount
	switch {
	case account == nil && e.pod.name != "":
		e.add("source", "the node; the service account does not matter here")
	case account == nil:
		e.add("source", "the node")
	case d.Plan.ServiceAccount == nil:
		e.add("source", "the node: service account %s/%s has no annotation %s (whenNoRole)", e.pod.namespace, e.pod.name, account.RoleAnnotation)
	case e.pod.name != "":
		e.add("source", "service account %s/%s", e.pod.namespace, e.pod.name)
		e.add("", "by %s", d.Plan.ServiceAccount.Role.ARN)
	default:
		e.serviceAccounts(*account)
	}
}

// serviceAccounts explains the source for an unknown service account.
func (e *explanation) serviceAccounts(account rule.ServiceAccount) {
	e.add("source", "the pod's service account, by the role in its annotation")
	e.add("", "%s:", account.RoleAnnotation)
	if account.AnyRole {
		e.add("", "any role that trusts it")
	} else {
		allowed := make([]string, len(account.AllowedRoles))
		for i, pattern := range account.AllowedRoles {
			allowed[i] = pattern.String()
		}
		e.add("", "one of %s", strings.Join(allowed, ", "))
	}
	if account.RoleARN != nil {
		e.add("", "without the annotation: %s", account.RoleARN.Template())
	} else {
		e.add("", "without the annotation: %s", nodeOr(account.NodeWhenNoRole))
	}
	e.add("", "without a token: %s", nodeOr(account.NodeWhenNoToken))
}

func nodeOr(node bool) string {
	if node {
		return "the node, without further roles"
	}
	return "an error"
}
