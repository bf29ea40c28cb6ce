package iampolicy

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"slices"

	"ecr-cross-account-credential-provider/pkg/kubelet"
	"ecr-cross-account-credential-provider/pkg/plan"
	"ecr-cross-account-credential-provider/pkg/registry"
	"ecr-cross-account-credential-provider/pkg/rule"
	"ecr-cross-account-credential-provider/pkg/secret"
)

// scope is the registries of one account that an entry governs, or those of every
// account that no entry names.
type scope struct {
	entry *rule.Entry
	// account is zero for all accounts other than those in except.
	account registry.Account
	except  []string
	// chosen means that the entry is for every account, and this scope is for one of
	// them. The nodes' documents still cover all accounts. It is false if service
	// accounts are the source, because the scope for all accounts does not accept their
	// roles if {account} is part of allowedRoles.
	chosen bool
}

// scopes returns the scopes of all entries for a node with the role.
func (d *derivation) scopes(n *NodeRole) (scopes []scope, err error) {
	var own registry.Account
	if n != nil {
		own = n.account
	}
	accounts := d.accounts(own)
	entries := d.config.Rules.Entries()
	for i := range entries {
		e := &entries[i]
		if own.IsZero() && d.needsOwn(e) {
			return nil, fmt.Errorf("%s: %w", e.Name, errOwn)
		}
		var except []string
		for _, a := range accounts {
			if slices.ContainsFunc(d.config.Rules.For(a, own), func(other *rule.Entry) bool { return other.Name == e.Name }) {
				scopes = append(scopes, scope{entry: e, account: a, chosen: e.Accounts.All && e.ServiceAccount == nil})
			} else {
				except = append(except, a.String())
			}
		}
		if e.Accounts.All {
			scopes = append(scopes, scope{entry: e, except: except})
		}
	}
	return scopes, nil
}

// needsOwn reports whether the documents depend on the nodes' own account because of the
// entry. On the images' side, the own account needs no documents for nodes that pull
// without a role.
func (d *derivation) needsOwn(e *rule.Entry) bool {
	if d.request.Side == Images {
		return e.Accounts.Own && (len(e.Roles) > 0 || e.ServiceAccount != nil)
	}
	return e.Accounts.Own || e.Accounts.ExceptOwn
}

var errOwn = missing("--node-role", "the entry names the nodes' own account, which is not known")

// accounts returns the node's own account, if it is known, every account that the
// configuration or the request names, and the accounts of service accounts' roles.
func (d *derivation) accounts(own registry.Account) (all []registry.Account) {
	named := []registry.Account{own, d.request.Account}
	for _, e := range d.config.Rules.Entries() {
		named = append(named, slices.Concat(e.Accounts.Named, e.Accounts.Except)...)
	}
	for _, s := range d.facts.ServiceAccounts {
		if role, err := rule.NewRoleTemplate(s.RoleARN); err == nil {
			account, _ := role.Account() // zero for {account}
			named = append(named, account)
		}
	}
	for _, a := range named {
		if !a.IsZero() && !slices.Contains(all, a) {
			all = append(all, a)
		}
	}
	return all
}

// part is the part of a scope that shares one plan.
type part struct {
	scope
	// regions are names or patterns.
	regions  []string
	registry registry.Registry
}

// parts returns the parts of a scope in a partition. There is one part for each region
// if a role's name depends on the region. Otherwise there is one part.
func (s scope) parts(p registry.Partition, side Side) ([]part, error) {
	account := s.account
	if account.IsZero() {
		account, _ = registry.ParseAccount(anyAccount)
	}
	regions := s.regions(p)
	if len(regions) == 0 || !s.entry.Fits(p) {
		return nil, nil
	}
	if !s.dependsOnRegion(side) {
		return []part{{s, regions, registry.Private(account, registry.AnyRegion(p))}}, nil
	}
	var parts []part
	for _, name := range regions {
		region, err := registry.ParseRegion(name)
		if err != nil {
			return nil, fmt.Errorf("the roles' names depend on the region; list the entry's regions by name")
		}
		parts = append(parts, part{s, []string{name}, registry.Private(account, region)})
	}
	return parts, nil
}

// regions returns the entry's regions in a partition.
func (s scope) regions(p registry.Partition) (regions []string) {
	for _, r := range s.entry.Regions {
		if slices.Contains(r.Partitions(), p) {
			regions = append(regions, r.String())
		}
	}
	if len(s.entry.Regions) == 0 {
		return []string{"*"}
	}
	return regions
}

// dependsOnRegion reports whether the name of a role in the side's documents depends on
// the region. The nodes' side has no roles of service accounts.
func (s scope) dependsOnRegion(side Side) bool {
	account := s.entry.ServiceAccount
	if account != nil && side == Nodes {
		return false
	}
	return slices.ContainsFunc(s.entry.Roles, rule.RoleTemplate.DependsOnRegion) || account != nil &&
		(slices.ContainsFunc(account.AllowedRoles, rule.RolePattern.DependsOnRegion) ||
			account.RoleARN != nil && account.RoleARN.DependsOnRegion())
}

// repositories returns the ARNs of the part's repositories.
func (p part) repositories() (arns []string) {
	account := p.account.String()
	if p.account.IsZero() {
		account = "*"
	}
	for _, region := range p.regions {
		arns = append(arns, rule.RepositoryARNs(p.registry.Partition().String(), region, account, p.entry.Repositories)...)
	}
	return arns
}

// plan computes the plan of the part.
func (p part) plan(d *derivation, pod *ServiceAccount) (plan.Plan, error) {
	if pod == nil {
		return plan.Compute(d.config, p.entry, p.registry, &kubelet.ServiceAccount{})
	}
	token, err := token(plan.Claims{Issuer: d.facts.Issuer, Subject: "system:serviceaccount:" + pod.Namespace + ":" + pod.Name, Audience: []string{d.facts.Audience}})
	if err != nil {
		return plan.Plan{}, err
	}
	asked := kubelet.ServiceAccount{Token: token}
	if pod.RoleARN != "" {
		asked.Annotations = map[string]string{p.entry.ServiceAccount.RoleAnnotation: pod.RoleARN}
	}
	return plan.Compute(d.config, p.entry, p.registry, &asked)
}

// token returns a token with the claims and without a signature. A plan does not
// verify the signature.
func token(claims plan.Claims) (secret.Text, error) {
	payload, err := json.Marshal(claims)
	return secret.New("e30." + base64.RawURLEncoding.EncodeToString(payload) + "."), err
}

// roles returns the plan's roles. If the part is for every account, their ARNs are
// patterns.
func (p part) roles(computed plan.Plan) ([]rule.Role, error) {
	roles := slices.Clone(computed.Roles)
	if !p.account.IsZero() {
		return roles, nil
	}
	for i := range roles {
		var err error
		if roles[i].ARN, err = p.entry.Roles[i].ARNOfAny(p.registry); err != nil {
			return nil, err
		}
	}
	return roles, nil
}
