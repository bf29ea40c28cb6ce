package iampolicy_test

import (
	"slices"
	"strings"
	"testing"

	"ecr-cross-account-credential-provider/pkg/iampolicy"
)

// ofServiceAccounts returns the start of a configuration, with one entry for each list of
// accounts. Its service accounts have roles in the registry's account.
func ofServiceAccounts(accounts ...string) string {
	text := "unmatched: None\nregistries:\n"
	for _, list := range accounts {
		text += "- accounts: [" + list + "]\n  source: ServiceAccount\n" +
			"  serviceAccount: {allowedRoles: [\"arn:{partition}:iam::{account}:role/pull-*\"]}\n"
	}
	return text
}

const (
	images  = `"444455556666"`
	others  = `"777788889999"`
	saOf444 = " issuer sa=a/x=arn:aws:iam::444455556666:role/pull-a"
	// perRegion has roles for each region. The regions are missing.
	perRegion = `unmatched: None
registries:
- accounts: ["444455556666"]
  source: ServiceAccount
  serviceAccount: {allowedRoles: ["arn:aws:iam::444455556666:role/pull-{region}"], whenNoToken: Node}
`
)

// ofRole returns what the role of a service account needs in account 444455556666.
func ofRole(name, serviceAccount, region string) []string {
	return []string{
		"444455556666 trust-policy 444455556666:role/" + name,
		"  {Sid:TrustServiceAccount,Principal:{Federated:444455556666:oidc-provider/ISSUER},Action:WEBIDENTITY," +
			"Condition:{StringEquals:{ISSUER:aud:sts.amazonaws.com,ISSUER:sub:" + serviceAccount + "}}}",
		"444455556666 permissions-policy 444455556666:role/" + name, "  {Sid:Token,Action:TOKEN,Resource:*}",
		"  {Sid:Pull,Action:[PULL],Resource:" + region + ":444455556666:repository/*}",
	}
}

// TestDeriveForServiceAccounts: an entry has the documents of those service accounts whose
// roles it allows.
func TestDeriveForServiceAccounts(t *testing.T) {
	t.Parallel()
	provider := []string{
		"444455556666 oidc-provider 444455556666:oidc-provider/ISSUER",
		"  {https://oidc.eks.eu-west-1.amazonaws.com/id/EXAMPLE [sts.amazonaws.com]}",
	}
	whole := slices.Concat(provider, ofRole("pull-a", "a:x", "*"))
	replaced := []string{
		"111122223333 node-policy 111122223333:role/node", "  {Sid:Token,Action:TOKEN,Resource:*}",
		"  {Sid:Pull,Action:[PULL],Resource:*:444455556666:repository/*}",
	}
	pulling := []string{
		"111122223333 endpoint-policy com.amazonaws.eu-west-1.ecr.api",
		"  {Sid:Token,Principal:{AWS:*},Action:TOKEN,Resource:*,Condition:{ArnLike:{aws:PrincipalArn:444455556666:role/pull-a}}}",
		"111122223333 endpoint-policy com.amazonaws.eu-west-1.ecr.dkr",
		"  {Sid:Pull,Principal:{AWS:*},Action:[PULL],Resource:eu-west-1:444455556666:repository/*," +
			"Condition:{ArnLike:{aws:PrincipalArn:444455556666:role/pull-a}}}",
		"111122223333 endpoint-policy com.amazonaws.eu-west-1.s3",
		"  {Sid:Layers,Principal:{AWS:*},Action:s3:GetObject,Resource:arn:aws:s3:::prod-eu-west-1-starport-layer-bucket/*}",
	}
	endpoints := slices.Concat([]string{
		"111122223333 endpoint-policy com.amazonaws.eu-west-1.sts",
		"  {Sid:AssumeRoleOfServiceAccount,Principal:{AWS:*},Action:WEBIDENTITY,Resource:444455556666:role/pull-a}",
	}, pulling)
	const atEndpoints = "side=endpoints region=eu-west-1 node=" + node + saOf444
	tests := []struct {
		name, entries, facts string
		want                 []string
	}{
		{"every account", ofServiceAccounts(`"*"`), "side=images" + saOf444, whole},
		{"every account: one of them", ofServiceAccounts(`"*"`), "side=images account=444455556666" + saOf444, whole},
		{"every account: endpoints", ofServiceAccounts(`"*"`), atEndpoints, endpoints},
		{"two accounts", ofServiceAccounts(images + ", " + others), "side=images" + saOf444, whole},
		{"two accounts: one of them", ofServiceAccounts(images + ", " + others), "side=images account=444455556666" + saOf444, whole},
		{"two entries: the account of one", ofServiceAccounts(images, others), "side=images account=444455556666" + saOf444, whole},
		{"STS in another region", ofServiceAccounts(images) + "sts: {region: us-east-1}\n", atEndpoints, pulling},
		{"STS in the registry's region", ofServiceAccounts(images) + "  regions: [eu-west-1]\nsts: {region: Registry}\n", atEndpoints, endpoints},
		{"the nodes' account", perRegion + "  regions: [eu-west-1]\n", "account=111122223333 node=" + node, []string{
			replaced[0], replaced[1], "  {Sid:Pull,Action:[PULL],Resource:eu-west-1:444455556666:repository/*}",
		}},
		{"the nodes' side needs no regions", perRegion, "side=nodes node=" + node, replaced},
		{
			"a role for each region", perRegion + "  regions: [eu-west-1, us-east-1]\n",
			"side=images issuer sa=a/x=arn:aws:iam::444455556666:role/pull-eu-west-1 sa=a/y=arn:aws:iam::444455556666:role/pull-us-east-1",
			slices.Concat(provider, ofRole("pull-eu-west-1", "a:x", "eu-west-1"), ofRole("pull-us-east-1", "a:y", "us-east-1")),
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			checkDerived(t, test.entries, test.facts, test.want)
		})
	}
}

// TestDeriveForServiceAccountsFails: without service accounts, the documents that depend on
// them cannot be derived.
func TestDeriveForServiceAccountsFails(t *testing.T) {
	t.Parallel()
	const unknown = "no service account is known with a role that the entry allows; name it with --service-account NAMESPACE/NAME=ROLE_ARN"
	chain := ofServiceAccounts(images, others) + "  assumeRoles: [{arn: \"arn:aws:iam::444455556666:role/last\"}]\n"
	tests := []struct{ name, entries, facts, want string }{
		{"every account", ofServiceAccounts(`"*"`), "side=images region=eu-west-1", "registries[0]: " + unknown},
		{"every account: one of them", ofServiceAccounts(`"*"`), "side=images region=eu-west-1 account=444455556666", "registries[0]: " + unknown},
		{"two entries", ofServiceAccounts(images, others), "side=images" + saOf444, "registries[1]: " + unknown},
		{"the account of the other entry", ofServiceAccounts(images, others), "side=images account=777788889999" + saOf444, "registries[1]: " + unknown},
		{"the other account of an entry", ofServiceAccounts(images + ", " + others), "side=images account=777788889999" + saOf444, "registries[0]: " + unknown},
		{"a chain into the account", chain, "side=images account=444455556666" + saOf444, "registries[1]: " + unknown},
		{
			"a role for each of unknown regions", perRegion, "side=images issuer sa=a/x=arn:aws:iam::444455556666:role/pull-eu-west-1",
			"registries[0]: the roles' names depend on the region; list the entry's regions by name",
		},
		{
			"a role that no entry allows", ofServiceAccounts(images), "side=images issuer sa=a/x=arn:aws:iam::444455556666:role/admin",
			"service account a/x: the service account's annotation eks.amazonaws.com/ecr-role-arn: role arn:aws:iam::444455556666:role/admin is not one of allowedRoles",
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			f, r := facts(t, test.facts)
			if _, err := iampolicy.Derive(load(t, test.entries), f, r); err == nil || !strings.HasPrefix(err.Error(), test.want) {
				t.Errorf("got %v\nwant %s", err, test.want)
			}
		})
	}
}
