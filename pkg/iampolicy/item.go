package iampolicy

import (
	"cmp"
	"encoding/json"
	"slices"
	"strings"
	"time"
)

// Kind says what a document is.
type Kind string

// These are the kinds of documents.
const (
	TrustPolicy       Kind = "trust-policy"
	PermissionsPolicy Kind = "permissions-policy"
	NodePolicy        Kind = "node-policy"
	OIDCProvider      Kind = "oidc-provider"
	EndpointPolicy    Kind = "endpoint-policy"
	RepositoryPolicy  Kind = "repository-policy"
)

// Item is one thing that an account has to create.
type Item struct {
	Account string
	Kind    Kind
	// Name is the name of the role, the policy or the issuer.
	Name string
	// AttachTo is the ARN of the resource that the document belongs to. For an
	// endpoint it is the name of the service.
	AttachTo string
	// Policy is the document. An OIDC provider has none.
	Policy Document
	// Provider is set for an OIDC provider.
	Provider *Provider
	// MaxSession is the MaxSessionDuration that the role needs, if that is more
	// than IAM's default of one hour. Only a trust policy has it.
	MaxSession time.Duration

	statements []Statement
}

// Provider is an OIDC provider, with the parameters of CreateOpenIDConnectProvider.
type Provider struct {
	URL          string   `json:"Url"`
	ClientIDList []string `json:"ClientIDList"`
}

// These are the names of inline policies.
const (
	nodePolicyName = "ecr-cross-account-nodes"
	pullPolicyName = "ecr-cross-account-pull"
)

// MarshalJSON writes a document of any kind under the same key.
func (i Item) MarshalJSON() ([]byte, error) {
	var document any = i.Policy
	if i.Provider != nil {
		document = i.Provider
	}
	return json.Marshal(struct {
		Account            string `json:"account"`
		Kind               Kind   `json:"kind"`
		Name               string `json:"name"`
		AttachTo           string `json:"attachTo"`
		Document           any    `json:"document"`
		MaxSessionDuration int    `json:"maxSessionDuration,omitempty"` // seconds
	}{i.Account, i.Kind, i.Name, i.AttachTo, document, int(i.MaxSession / time.Second)})
}

// roleParts returns the account, the path with slashes around it, and the name in a
// role's ARN.
func roleParts(arn string) (account, path, name string) {
	parts := strings.SplitN(arn+":::::", ":", 6)
	resource := strings.TrimRight(strings.TrimPrefix(parts[5], "role"), ":")
	i := strings.LastIndexByte(resource, '/')
	return parts[4], resource[:i+1], resource[i+1:]
}

// Path returns the path of the role that the item belongs to.
func (i Item) Path() string {
	_, path, _ := roleParts(i.AttachTo)
	return path
}

// Role returns the name of the role that the item belongs to.
func (i Item) Role() string {
	_, _, name := roleParts(i.AttachTo)
	return name
}

// rank orders the items of an account: a provider comes before the roles that trust
// it.
func (i Item) rank() int {
	return slices.Index([]Kind{NodePolicy, OIDCProvider, TrustPolicy, PermissionsPolicy, RepositoryPolicy, EndpointPolicy}, i.Kind)
}

// sortItems groups the items by account: first the nodes' account, then the others
// in the order of their first items. Within an account they are in the order of
// kinds, and a role's two documents are adjacent.
func sortItems(items []Item) {
	accounts, attached := map[string]int{}, map[string]int{}
	for at, i := range items {
		if _, ok := accounts[i.Account]; !ok {
			accounts[i.Account] = at + 1
		}
		if i.Kind == NodePolicy {
			accounts[i.Account] = 0
		}
		if _, ok := attached[i.AttachTo]; !ok {
			attached[i.AttachTo] = at
		}
	}
	place := func(i Item) int {
		if i.Kind == TrustPolicy || i.Kind == PermissionsPolicy {
			return attached[i.AttachTo]
		}
		return 0
	}
	group := func(i Item) int {
		if i.Kind == PermissionsPolicy { // among the roles
			return Item{Kind: TrustPolicy}.rank()
		}
		return i.rank()
	}
	slices.SortStableFunc(items, func(a, b Item) int {
		return cmp.Or(accounts[a.Account]-accounts[b.Account], group(a)-group(b), place(a)-place(b), a.rank()-b.rank())
	})
}
