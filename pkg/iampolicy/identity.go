package iampolicy

import "fmt"

// identity is the caller: a role of a plan, or the node.
type identity struct {
	role string    // empty for the node
	node *NodeRole // nil if the node's role is unknown
	// perAccount means that each account of images has its own role.
	perAccount bool
}

// arn returns the role's ARN. It may be a pattern.
func (i identity) arn() (string, error) {
	switch {
	case i.role != "":
		return i.role, nil
	case i.node == nil:
		return "", errNodeRole
	}
	return i.node.arn, nil
}

// permit adds statements to the policy of an identity. If the part is for a chosen
// account, permit adds nothing for an identity that all accounts share. The same entry
// also has a part for every account, which adds those statements.
func (d *derivation) permit(p part, who identity, statements ...Statement) error {
	if p.chosen && !who.perAccount {
		return nil
	}
	if who.role != "" {
		ok, err := d.wantsRole(PermissionsPolicy, who.role)
		if ok {
			account, _, _ := roleParts(who.role)
			d.add(Item{Account: account, Kind: PermissionsPolicy, Name: pullPolicyName, AttachTo: who.role}, statements...)
		}
		return err
	}
	if !d.wantsPolicyOf(who) {
		return nil
	}
	if who.node == nil || isPattern(who.node.arn) {
		return errExactNodeRole
	}
	d.add(Item{Account: who.node.account.String(), Kind: NodePolicy, Name: nodePolicyName, AttachTo: who.node.arn}, statements...)
	return nil
}

var errExactNodeRole = missing("--node-role", "the nodes' policy needs the ARN of the one role that it is for")

// wantsPolicyOf reports whether the request covers the policy of an identity. An
// unknown node role may belong to any account.
func (d *derivation) wantsPolicyOf(who identity) bool {
	switch {
	case who.role != "":
		account, _, _ := roleParts(who.role)
		return d.wants(PermissionsPolicy, account)
	case who.node == nil || who.node.account.IsZero():
		return d.request.Side == "" || d.request.Side == Nodes
	}
	return d.wants(NodePolicy, who.node.account.String())
}

// wantsRole reports whether the request covers a document of a role. A pattern of
// roles of every account has documents only for a chosen account. A pattern of roles of
// one account has none, because it does not say which roles exist.
func (d *derivation) wantsRole(kind Kind, arn string) (bool, error) {
	account, _, _ := roleParts(arn)
	switch {
	case account == "*":
		return false, d.chosen(kind)
	case d.wants(kind, account) && isPattern(arn):
		return false, fmt.Errorf("the name of role %s depends on the images' account; name the accounts in place of \"*\", or use --side nodes", arn)
	}
	return d.wants(kind, account), nil
}

// chosen returns an error if the request covers documents of a kind for every account,
// because it must choose one account.
func (d *derivation) chosen(kind Kind) error {
	if d.request.Account.IsZero() && d.wants(kind, "") {
		return missing("--account ID, or leave out the images' side with --side nodes", "the images' side needs one account, and the entry is for every account")
	}
	return nil
}
