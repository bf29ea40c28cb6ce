package iampolicy_test

import (
	"strings"
	"testing"

	"ecr-cross-account-credential-provider/pkg/iampolicy"
)

const (
	ownAndRole = `unmatched: None
registries:
- {accounts: [own]}
- {accounts: ["444455556666"], assumeRoles: [{arn: "arn:aws:iam::444455556666:role/pull"}]}
`
	roleInOwn = `unmatched: None
registries:
- {accounts: [own], assumeRoles: [{arn: "arn:aws:iam::{account}:role/pull"}]}
`
	nodesOfAnyAccount = "node=arn:aws:iam::*:role/node*"
	nodesOfOneAccount = "node=arn:aws:iam::111122223333:role/node*"
)

// TestDeriveForPatternOfNodes: the images' side depends on the nodes' own account only if
// that account needs documents. A pattern can contain the account.
func TestDeriveForPatternOfNodes(t *testing.T) {
	t.Parallel()
	want := func(account, callers string) []string {
		return []string{
			account + " trust-policy " + account + ":role/pull",
			"  {Sid:TrustOrganization,Principal:{AWS:*},Action:ASSUME,Condition:{ArnLike:{aws:PrincipalArn:" + callers + "}," +
				"StringEquals:{aws:PrincipalOrgID:o-exampleorg1}}}",
			account + " permissions-policy " + account + ":role/pull", "  {Sid:Token,Action:TOKEN,Resource:*}",
			"  {Sid:Pull,Action:[PULL],Resource:*:" + account + ":repository/*}",
		}
	}
	tests := []struct {
		name, entries, facts string
		want                 []string
	}{
		{"own without a role", ownAndRole, "side=images org " + nodesOfAnyAccount, want("444455556666", "*:role/node*")},
		{"a role in own", roleInOwn, "side=images org " + nodesOfOneAccount, want("111122223333", "111122223333:role/node*")},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			checkDerived(t, test.entries, test.facts, test.want)
		})
	}
}

// TestDeriveForPatternOfNodesFails: some documents need more than a pattern.
func TestDeriveForPatternOfNodesFails(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, entries, facts, want string }{
		{
			"a role in own, and nodes of any account", roleInOwn, "side=images org " + nodesOfAnyAccount,
			"registries[0]: the entry names the nodes' own account, which is not known",
		},
		{
			"the nodes' side", ownAndRole, "side=nodes org " + nodesOfOneAccount,
			"the nodes' policy needs the ARN of the one role that it is for",
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			f, r := facts(t, test.facts)
			_, err := iampolicy.Derive(load(t, test.entries), f, r)
			if flag, ok := iampolicy.IsMissing(err); !ok || flag != "--node-role" || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got flag %q: %v\nwant flag --node-role: %s", flag, err, test.want)
			}
		})
	}
}
