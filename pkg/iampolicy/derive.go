package iampolicy

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"ecr-cross-account-credential-provider/pkg/config"
	"ecr-cross-account-credential-provider/pkg/plan"
	"ecr-cross-account-credential-provider/pkg/registry"
	"ecr-cross-account-credential-provider/pkg/rule"
)

// Side says whose documents to derive.
type Side string

// These are the sides. The empty one stands for nodes and images.
const (
	Nodes     Side = "nodes"
	Images    Side = "images"
	Endpoints Side = "endpoints"
)

// Request says whose documents to derive.
type Request struct {
	Side Side
	// Account limits the documents to those of one account. An entry for "*" has
	// documents on the images' side for that account only.
	Account registry.Account
}

// Derive computes the documents of a configuration. They have every statement that
// its plans need, and no others.
//
// The nodes' own role pulls for entries without roles, and in two more kinds of cases.
// If whenRefused, whenNoToken or whenNoRole is Node, the nodes' policy gets the
// permissions to pull from the entry's repositories. The images' account gets no
// statement for that, because its owner offers a role instead. So the nodes' own role
// can pull only from repositories that already allow it. If unmatched is Node, the
// nodes' policy gets the permissions to pull from every account with images that no
// entry governs. That can be any account, unless an entry is for all images of "*".
// With such an entry, only two kinds of accounts remain. The first are those in its
// exceptAccounts, such as the nodes' own account and those of the EKS add-ons. The
// second are those that other entries name for some images only.
//
// An entry with a longer prefix does not reduce the permissions of another entry's
// role. IAM cannot subtract resources from a list without denying them to
// everybody.
func Derive(c config.Config, f Facts, r Request) ([]Item, error) {
	partition, err := f.partition()
	if err != nil {
		return nil, err
	}
	d := &derivation{
		config: c, facts: f, request: r, partition: partition,
		used: map[ServiceAccount]error{}, started: map[string]bool{},
	}
	nodes := make([]*NodeRole, 0, len(f.NodeRoles))
	for i := range f.NodeRoles {
		nodes = append(nodes, &f.NodeRoles[i])
	}
	if len(nodes) == 0 {
		nodes = []*NodeRole{nil}
	}
	for _, n := range nodes {
		if err := d.node(n); err != nil {
			return nil, err
		}
	}
	if err := d.checkServiceAccounts(); err != nil {
		return nil, err
	}
	return d.finish(), nil
}

// derivation collects the statements of each document.
type derivation struct {
	config    config.Config
	facts     Facts
	request   Request
	partition registry.Partition
	items     []Item
	// used holds, for each service account that was tried, the reason why no entry
	// accepts it. The reason is nil if an entry accepts it.
	used map[ServiceAccount]error
	// started holds, for each entry whose documents depend on service accounts, whether
	// the entry accepts one.
	started map[string]bool
}

// wants reports whether the request covers documents of a kind for an account.
func (d *derivation) wants(kind Kind, account string) bool {
	side := d.request.Side
	switch kind {
	case NodePolicy:
		if side != "" && side != Nodes {
			return false
		}
	case EndpointPolicy:
		if side != Endpoints {
			return false
		}
	default:
		if side != "" && side != Images {
			return false
		}
	}
	return d.request.Account.IsZero() || account == d.request.Account.String()
}

// add adds statements to a document, if the request covers it.
func (d *derivation) add(i Item, statements ...Statement) {
	if !d.wants(i.Kind, i.Account) {
		return
	}
	at := slices.IndexFunc(d.items, func(other Item) bool {
		return other.Account == i.Account && other.Kind == i.Kind && other.AttachTo == i.AttachTo
	})
	if at < 0 {
		at = len(d.items)
		d.items = append(d.items, i)
	}
	d.items[at].statements = append(d.items[at].statements, statements...)
	d.items[at].MaxSession = max(d.items[at].MaxSession, i.MaxSession)
}

func (d *derivation) finish() []Item {
	for i := range d.items {
		if d.items[i].Kind != OIDCProvider {
			d.items[i].Policy = NewDocument(d.items[i].statements...)
		}
		d.items[i].statements = nil
	}
	sortItems(d.items)
	return d.items
}

// node adds what a node with the role needs. Nil stands for an unknown role.
func (d *derivation) node(n *NodeRole) error {
	var own registry.Account
	if n != nil {
		own = n.account
	}
	scopes, err := d.scopes(n)
	if err != nil {
		return err
	}
	for _, s := range scopes {
		if err := d.scope(s, n); err != nil {
			return fmt.Errorf("%s: %w", s.entry.Name, err)
		}
	}
	if err := d.passOwn(n); err != nil {
		return err
	}
	return d.unmatched(n, own)
}

// scope adds what the plans of a scope need.
func (d *derivation) scope(s scope, n *NodeRole) error {
	parts, err := s.parts(d.partition, d.request.Side)
	if err != nil {
		return err
	}
	for _, p := range parts {
		if s.entry.ServiceAccount != nil {
			err = d.serviceAccounts(p, n)
		} else {
			err = d.plan(p, n, nil)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// plan adds what one plan needs. The pod is nil if the node is the source.
func (d *derivation) plan(p part, n *NodeRole, pod *ServiceAccount) error {
	computed, err := p.plan(d, pod)
	if err != nil {
		return err
	}
	caller := identity{node: n}
	if start := computed.ServiceAccount; start != nil {
		if caller, err = d.startWith(p, *start); err != nil {
			return err
		}
	}
	roles, err := p.roles(computed)
	if err != nil {
		return err
	}
	var kind rule.PolicyKind
	for i, role := range roles {
		if err := d.hop(p, caller, role); err != nil {
			return err
		}
		perAccount := strings.Contains(p.entry.Roles[i].Template(), "{account}")
		caller, kind = identity{role: role.ARN, perAccount: perAccount}, role.PolicyKind()
	}
	if err := d.pull(p, caller, kind); err != nil {
		return err
	}
	if computed.NodeWhenRefused {
		return d.pull(p, identity{node: n}, kind)
	}
	if len(roles) == 0 && pod == nil {
		return d.admit(p, n)
	}
	return nil
}

// hop adds both sides of assuming a role.
func (d *derivation) hop(p part, caller identity, role rule.Role) error {
	assume := AssumeRole(role)
	if account, _, _ := roleParts(role.ARN); account == "*" {
		if d.facts.Organization == "" && d.wantsPolicyOf(caller) {
			return missing("--organization", "the policy for roles of every account needs the organization that those accounts are in")
		}
		assume = AssumeRoleOfOrganization(role, d.facts.Organization, p.except)
	}
	if err := d.permit(p, caller, assume); err != nil {
		return err
	}
	if err := d.pass(p, caller, func(caller string) Statement { return PassAssumeRole(caller, role) }); err != nil {
		return err
	}
	return d.trust(role, caller)
}

// trust adds the statement by which a role trusts its caller.
func (d *derivation) trust(role rule.Role, caller identity) error {
	account, _, name := roleParts(role.ARN)
	if ok, err := d.wantsRole(TrustPolicy, role.ARN); !ok {
		return err
	}
	var s Statement
	switch arn, err := caller.arn(); {
	case err != nil:
		return err
	case isPattern(arn) && d.facts.Organization == "":
		return missing("--organization", "a trust policy for %s must not trust every account of AWS, and the callers' organization is not known", arn)
	case isPattern(arn):
		s = TrustOrganization(d.facts.Organization, arn, role)
	default:
		s = TrustRole(arn, role)
	}
	d.add(Item{Account: account, Kind: TrustPolicy, Name: name, AttachTo: role.ARN, MaxSession: maxSession(role)}, s)
	return nil
}

// maxSession returns the MaxSessionDuration that the role needs, or 0 if IAM's
// default is enough.
func maxSession(role rule.Role) time.Duration {
	if d := time.Duration(role.DurationSeconds) * time.Second; d > rule.DefaultDuration {
		return d
	}
	return 0
}

// startWith adds what the first role of a service account needs.
func (d *derivation) startWith(p part, start plan.ServiceAccount) (identity, error) {
	role := start.Role
	account, _, name := roleParts(role.ARN)
	id := identity{role: role.ARN, perAccount: true}
	if err := d.passServiceAccount(p, role); err != nil {
		return id, err
	}
	if !d.wants(TrustPolicy, account) {
		return id, nil
	}
	if d.facts.Issuer == "" {
		return id, missing("--issuer", "the issuer of the cluster's service account tokens is not known")
	}
	d.add(Item{
		Account: account, Kind: OIDCProvider, Name: issuerName(start.Claims.Issuer), AttachTo: ProviderARN(start.Claims.Issuer, role.ARN),
		Provider: &Provider{start.Claims.Issuer, start.Claims.Audience},
	})
	d.add(Item{Account: account, Kind: TrustPolicy, Name: name, AttachTo: role.ARN}, TrustServiceAccount(start.Claims, role))
	return id, nil
}

// isPattern reports whether an ARN is a pattern.
func isPattern(arn string) bool { return strings.Contains(arn, "*") }
