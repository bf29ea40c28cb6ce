package iampolicy

import (
	"fmt"
	"slices"

	"ecr-cross-account-credential-provider/pkg/registry"
	"ecr-cross-account-credential-provider/pkg/rule"
)

// pull adds what an identity needs to request a token and to pull with it.
func (d *derivation) pull(p part, who identity, kind rule.PolicyKind) error {
	if err := d.permit(p, who, Token(), Pull(kind, p.repositories()...)); err != nil {
		return err
	}
	return d.passPull(p, who, kind)
}

// admit allows a node that pulls without a role to pull from repositories of
// another account.
func (d *derivation) admit(p part, n *NodeRole) error {
	account := p.account.String()
	switch {
	case p.account.IsZero():
		return d.chosen(RepositoryPolicy)
	case !d.wants(RepositoryPolicy, account):
		return nil
	case n == nil:
		return errNodeRole
	case n.account == p.account:
		return nil
	}
	s := PullBy(n.arn)
	if isPattern(n.arn) {
		if d.facts.Organization == "" {
			return missing("--organization", "a repository policy for %s must not allow every account of AWS, and the callers' organization is not known", n.arn)
		}
		s = PullByOrganization(d.facts.Organization, n.arn)
	}
	for _, arn := range p.repositories() {
		d.add(Item{Account: account, Kind: RepositoryPolicy, Name: pullPolicyName, AttachTo: arn}, s)
	}
	return nil
}

// serviceAccounts adds what an entry for service accounts needs. The nodes' policy
// contains only what the node needs as their replacement.
func (d *derivation) serviceAccounts(p part, n *NodeRole) error {
	if d.request.Side != Nodes {
		if err := d.pods(p, n); err != nil {
			return err
		}
	}
	if source := p.entry.ServiceAccount; source.NodeWhenNoRole || source.NodeWhenNoToken {
		return d.pull(p, identity{node: n}, rule.NoPolicy)
	}
	return nil
}

// pods adds what the service accounts of the facts need if the entry accepts them.
func (d *derivation) pods(p part, n *NodeRole) error {
	started := false
	for i := range d.facts.ServiceAccounts {
		pod := d.facts.ServiceAccounts[i]
		if pod.RoleARN == "" && p.entry.ServiceAccount.RoleARN == nil {
			continue
		}
		if _, err := p.plan(d, &pod); err != nil { // the entry does not allow the role
			if known, tried := d.used[pod]; !tried || known != nil {
				d.used[pod] = err
			}
			continue
		}
		started, d.used[pod] = true, nil
		if err := d.plan(p, n, &pod); err != nil {
			return err
		}
	}
	if d.wantsRolesOf(p) {
		d.started[p.entry.Name] = started || d.started[p.entry.Name]
	}
	return nil
}

// wantsRolesOf reports whether the request may cover a document that depends on the
// service accounts of the part. With an account, these are the documents of the roles
// in that account.
func (d *derivation) wantsRolesOf(p part) bool {
	if d.request.Side == Endpoints || d.request.Account.IsZero() {
		return true
	}
	wanted := func(account registry.Account, fixed bool) bool {
		if !fixed {
			account = p.account
		}
		return account == d.request.Account
	}
	source := p.entry.ServiceAccount
	return source.RoleARN != nil && wanted(source.RoleARN.Account()) ||
		slices.ContainsFunc(source.AllowedRoles, func(r rule.RolePattern) bool { return wanted(r.Account()) }) ||
		slices.ContainsFunc(p.entry.Roles, func(r rule.RoleTemplate) bool { return wanted(r.Account()) })
}

// checkServiceAccounts returns an error if no entry accepts a service account of the
// facts, or if an entry accepts none of them although its documents depend on them.
func (d *derivation) checkServiceAccounts() error {
	for _, s := range d.facts.ServiceAccounts {
		if err := d.used[s]; err != nil {
			return fmt.Errorf("service account %s: %w", s, err)
		}
	}
	for _, e := range d.config.Rules.Entries() {
		if started, needed := d.started[e.Name]; needed && !started {
			err := missing("--service-account NAMESPACE/NAME=ROLE_ARN", "no service account is known with a role that the entry allows")
			return fmt.Errorf("%s: %w", e.Name, err)
		}
	}
	return nil
}

// unmatched adds what the node needs for images that no entry governs.
func (d *derivation) unmatched(n *NodeRole, own registry.Account) error {
	if d.config.UnmatchedNone {
		return nil
	}
	for _, account := range d.unmatchedAccounts(own) {
		p := part{
			scope:    scope{entry: &rule.Entry{Name: d.config.Unmatched.Name}, account: account},
			regions:  []string{"*"},
			registry: registry.Private(account, registry.AnyRegion(d.partition)),
		}
		if err := d.pull(p, identity{node: n}, rule.NoPolicy); err != nil {
			return err
		}
	}
	return nil
}

// unmatchedAccounts returns the accounts with images that no entry governs. A zero
// account stands for any account. If an entry is for all images of every account, only
// two kinds remain: those that it excepts, and those that other entries name for some
// images only.
func (d *derivation) unmatchedAccounts(own registry.Account) (left []registry.Account) {
	whole := func(e *rule.Entry) bool { return len(e.Regions) == 0 && len(e.Repositories) == 0 }
	entries := d.config.Rules.Entries()
	if !slices.ContainsFunc(entries, func(e rule.Entry) bool { return e.Accounts.All && whole(&e) }) {
		return []registry.Account{{}}
	}
	for _, account := range d.accounts(own) {
		if !slices.ContainsFunc(d.config.Rules.For(account, own), whole) {
			left = append(left, account)
		}
	}
	return left
}
