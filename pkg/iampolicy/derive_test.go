package iampolicy_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"ecr-cross-account-credential-provider/pkg/config"
	"ecr-cross-account-credential-provider/pkg/iampolicy"
	"ecr-cross-account-credential-provider/pkg/registry"
)

const organization = "o-exampleorg1"

// load reads the entries of a configuration.
func load(t *testing.T, entries string) config.Config {
	t.Helper()
	text := "apiVersion: ecr-cross-account-credential-provider/v1alpha1\nkind: CrossAccountConfig\n" + entries
	c, err := config.Source{Path: "config.yaml", Reader: strings.NewReader(text)}.Load(nil)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// facts reads facts and a request: node=ARN, org, issuer, sa=NS/NAME=ARN, region=R,
// side=S, account=A.
func facts(t *testing.T, words string) (f iampolicy.Facts, r iampolicy.Request) {
	t.Helper()
	f.Audience = "sts.amazonaws.com"
	for _, word := range strings.Fields(words) {
		key, value, _ := strings.Cut(word, "=")
		var err error
		switch key {
		case "node":
			var n iampolicy.NodeRole
			n, err = iampolicy.ParseNodeRole(value)
			f.NodeRoles = append(f.NodeRoles, n)
		case "org":
			f.Organization, err = iampolicy.ParseOrganization(organization)
		case "issuer":
			f.Issuer, err = iampolicy.ParseIssuer(issuer)
		case "sa":
			var s iampolicy.ServiceAccount
			s, err = iampolicy.ParseServiceAccount(value)
			f.ServiceAccounts = append(f.ServiceAccounts, s)
		case "region":
			f.Region, err = registry.ParseRegion(value)
		case "side":
			r.Side = iampolicy.Side(value)
		case "account":
			r.Account, err = registry.ParseAccount(value)
		default:
			err = fmt.Errorf("unknown word %s", key)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return f, r
}

// brief returns one line for each item and each statement. It shortens common parts:
// the starts of ARNs, the actions, the issuer and the start of a subject.
func brief(t *testing.T, items []iampolicy.Item) (lines []string) {
	t.Helper()
	for _, i := range items {
		line := i.Account + " " + string(i.Kind) + " " + i.AttachTo
		if i.MaxSession != 0 {
			line += " " + i.MaxSession.String()
		}
		lines = append(lines, shorter.Replace(line))
		if i.Provider != nil {
			lines = append(lines, fmt.Sprint("  ", *i.Provider))
		}
		for _, s := range i.Policy.Statement {
			s.Effect = ""
			text, err := json.Marshal(s)
			if err != nil {
				t.Fatal(err)
			}
			lines = append(lines, "  "+shorter.Replace(quotes.Replace(string(text))))
		}
	}
	return lines
}

var quotes = strings.NewReplacer(`"`, "")

var shorter = strings.NewReplacer("arn:aws:iam::", "", "arn:aws:ecr:", "", "Effect:,", "",
	"[ecr:BatchGetImage,ecr:GetDownloadUrlForLayer,ecr:BatchCheckLayerAvailability", "[PULL",
	"sts:AssumeRoleWithWebIdentity", "WEBIDENTITY", "sts:AssumeRole", "ASSUME", "sts:TagSession", "TAG", "ecr:GetAuthorizationToken", "TOKEN",
	"oidc.eks.eu-west-1.amazonaws.com/id/EXAMPLE", "ISSUER", "system:serviceaccount:", "")

// TestDerive: each part of the configuration adds its statements.
func TestDerive(t *testing.T) {
	t.Parallel()
	const (
		token = "  {Sid:Token,Action:TOKEN,Resource:*}"
	)
	tests := []struct {
		name, entries, facts string
		want                 []string
	}{
		{
			"session tags, a long session, a pull-through cache, regions and repositories",
			`unmatched: None
registries:
- accounts: ["444455556666"]
  regions: [eu-west-1, us-*]
  repositories: [docker-hub/, quay/]
  assumeRoles:
  - {arn: "arn:aws:iam::444455556666:role/path/pull", externalID: images, duration: 12h, sessionTags: {team: a}, policy: PullThroughCache}
`, "node=" + node,
			[]string{
				"111122223333 node-policy 111122223333:role/node",
				"  {Sid:AssumePullRole,Action:[ASSUME,TAG],Resource:444455556666:role/path/pull}",
				"444455556666 trust-policy 444455556666:role/path/pull 12h0m0s",
				"  {Sid:TrustCaller,Principal:{AWS:111122223333:role/node},Action:[ASSUME,TAG],Condition:{StringEquals:{sts:ExternalId:images}}}",
				"444455556666 permissions-policy 444455556666:role/path/pull", token,
				"  {Sid:Pull,Action:[PULL,ecr:BatchImportUpstreamImage,ecr:CreateRepository],Resource:[eu-west-1:444455556666:repository/docker-hub/*," +
					"eu-west-1:444455556666:repository/quay/*,us-*:444455556666:repository/docker-hub/*,us-*:444455556666:repository/quay/*]}",
			},
		},
		{
			"a role for each region",
			`unmatched: None
registries:
- accounts: ["444455556666"]
  regions: [eu-west-1, us-east-1]
  assumeRoles: [{arn: "arn:aws:iam::444455556666:role/pull-{region}"}]
`, "side=images node=" + node,
			[]string{
				"444455556666 trust-policy 444455556666:role/pull-eu-west-1",
				"  {Sid:TrustCaller,Principal:{AWS:111122223333:role/node},Action:ASSUME}",
				"444455556666 permissions-policy 444455556666:role/pull-eu-west-1", token,
				"  {Sid:Pull,Action:[PULL],Resource:eu-west-1:444455556666:repository/*}",
				"444455556666 trust-policy 444455556666:role/pull-us-east-1",
				"  {Sid:TrustCaller,Principal:{AWS:111122223333:role/node},Action:ASSUME}",
				"444455556666 permissions-policy 444455556666:role/pull-us-east-1", token,
				"  {Sid:Pull,Action:[PULL],Resource:us-east-1:444455556666:repository/*}",
			},
		},
		{
			"one role of two entries, and nodes of two roles",
			`unmatched: None
registries:
- {accounts: ["444455556666"], assumeRoles: [{arn: "arn:aws:iam::444455556666:role/pull"}]}
- {accounts: ["777788889999"], assumeRoles: [{arn: "arn:aws:iam::444455556666:role/pull"}]}
`, "side=images node=" + node + " node=arn:aws:iam::111122223333:role/other",
			[]string{
				"444455556666 trust-policy 444455556666:role/pull",
				"  {Sid:TrustCaller,Principal:{AWS:[111122223333:role/node,111122223333:role/other]},Action:ASSUME}",
				"444455556666 permissions-policy 444455556666:role/pull", token,
				"  {Sid:Pull,Action:[PULL],Resource:[*:444455556666:repository/*,*:777788889999:repository/*]}",
			},
		},
		{
			"no roles: the own account needs no repository policy",
			`unmatched: None
registries:
- {accounts: ["444455556666", own], regions: [eu-west-1], repositories: [team-a/]}
`, "node=" + node,
			[]string{
				"111122223333 node-policy 111122223333:role/node", token,
				"  {Sid:Pull,Action:[PULL],Resource:[eu-west-1:111122223333:repository/team-a/*,eu-west-1:444455556666:repository/team-a/*]}",
				"444455556666 repository-policy eu-west-1:444455556666:repository/team-a/*",
				"  {Sid:PullByNodes,Principal:{AWS:111122223333:role/node},Action:[PULL]}",
			},
		},
		{
			"the node in place of a refused role",
			`unmatched: None
registries:
- {accounts: ["444455556666"], whenRefused: Node, assumeRoles: [{arn: "arn:aws:iam::444455556666:role/pull"}]}
`, "side=nodes node=" + node,
			[]string{
				"111122223333 node-policy 111122223333:role/node",
				"  {Sid:AssumePullRole,Action:ASSUME,Resource:444455556666:role/pull}", token,
				"  {Sid:Pull,Action:[PULL],Resource:*:444455556666:repository/*}",
			},
		},
		{
			"service accounts: by annotation and by roleARN, and the node in their place",
			`unmatched: None
registries:
- accounts: ["777788889999"]
  source: ServiceAccount
  serviceAccount: {allowedRoles: ["arn:aws:iam::777788889999:role/pull-*"], roleARN: "arn:aws:iam::777788889999:role/pull-b", whenNoToken: Node}
  assumeRoles: [{arn: "arn:aws:iam::444455556666:role/ecr-pull", sessionTags: {ns: "{namespace}"}}]
`, "issuer node=" + node + " sa=a/x=arn:aws:iam::777788889999:role/pull-a sa=a/y=arn:aws:iam::777788889999:role/pull-a sa=b/z",
			[]string{
				"111122223333 node-policy 111122223333:role/node", token, "  {Sid:Pull,Action:[PULL],Resource:*:777788889999:repository/*}",
				"777788889999 oidc-provider 777788889999:oidc-provider/ISSUER",
				"  {https://oidc.eks.eu-west-1.amazonaws.com/id/EXAMPLE [sts.amazonaws.com]}",
				"777788889999 trust-policy 777788889999:role/pull-a",
				"  {Sid:TrustServiceAccount,Principal:{Federated:777788889999:oidc-provider/ISSUER},Action:WEBIDENTITY," +
					"Condition:{StringEquals:{ISSUER:aud:sts.amazonaws.com,ISSUER:sub:[a:x,a:y]}}}",
				"777788889999 permissions-policy 777788889999:role/pull-a",
				"  {Sid:AssumePullRole,Action:[ASSUME,TAG],Resource:444455556666:role/ecr-pull}",
				"777788889999 trust-policy 777788889999:role/pull-b",
				"  {Sid:TrustServiceAccount,Principal:{Federated:777788889999:oidc-provider/ISSUER},Action:WEBIDENTITY," +
					"Condition:{StringEquals:{ISSUER:aud:sts.amazonaws.com,ISSUER:sub:b:z}}}",
				"777788889999 permissions-policy 777788889999:role/pull-b",
				"  {Sid:AssumePullRole,Action:[ASSUME,TAG],Resource:444455556666:role/ecr-pull}",
				"444455556666 trust-policy 444455556666:role/ecr-pull",
				"  {Sid:TrustCaller,Principal:{AWS:[777788889999:role/pull-a,777788889999:role/pull-b]},Action:[ASSUME,TAG]}",
				"444455556666 permissions-policy 444455556666:role/ecr-pull", token,
				"  {Sid:Pull,Action:[PULL],Resource:*:777788889999:repository/*}",
			},
		},
		{
			"every account, by a hub", everyAccount, "side=nodes org node=" + node,
			[]string{
				"111122223333 node-policy 111122223333:role/node",
				"  {Sid:AssumePullRole,Action:ASSUME,Resource:[777788889999:role/own,999900001111:role/hub]}", token,
				"  {Sid:Pull,Action:[PULL],Resource:[*:111122223333:repository/*,*:602401143452:repository/*]}",
			},
		},
		{
			"every account: the hub's account", everyAccount, "account=999900001111 org node=" + node,
			[]string{
				"999900001111 trust-policy 999900001111:role/hub",
				"  {Sid:TrustCaller,Principal:{AWS:111122223333:role/node},Action:ASSUME}",
				"999900001111 permissions-policy 999900001111:role/hub",
				"  {Sid:AssumePullRoleOfOrganization,Action:ASSUME,Resource:*:role/pull,Condition:{StringEquals:{aws:ResourceOrgID:o-exampleorg1}," +
					"StringNotEquals:{aws:ResourceAccount:[111122223333,777788889999,602401143452]}}}",
				"999900001111 trust-policy 999900001111:role/pull",
				"  {Sid:TrustCaller,Principal:{AWS:999900001111:role/hub},Action:ASSUME}",
				"999900001111 permissions-policy 999900001111:role/pull", token,
				"  {Sid:Pull,Action:[PULL],Resource:*:999900001111:repository/*}",
			},
		},
		{
			"every account: one of them", everyAccount, "account=444455556666 org node=" + node,
			[]string{
				"444455556666 trust-policy 444455556666:role/pull",
				"  {Sid:TrustCaller,Principal:{AWS:999900001111:role/hub},Action:ASSUME}",
				"444455556666 permissions-policy 444455556666:role/pull", token,
				"  {Sid:Pull,Action:[PULL],Resource:*:444455556666:repository/*}",
			},
		},
		{
			"every account, by roles of one account", rolesOfOneAccount, "side=nodes node=" + node,
			[]string{"111122223333 node-policy 111122223333:role/node", "  {Sid:AssumePullRole,Action:ASSUME,Resource:111122223333:role/ecr-*}"},
		},
		{"every account, by roles of one account: one of them", rolesOfOneAccount, "account=444455556666 node=" + node, nil},
		{"every account: an excepted one", everyAccount, "account=602401143452 org node=" + node, nil},
		{
			"nodes of many accounts",
			`registries:
- {accounts: ["444455556666"], assumeRoles: [{arn: "arn:aws:iam::444455556666:role/pull", externalID: images}]}
`, "side=images org node=arn:aws:iam::*:role/node*",
			[]string{
				"444455556666 trust-policy 444455556666:role/pull",
				"  {Sid:TrustOrganization,Principal:{AWS:*},Action:ASSUME,Condition:{ArnLike:{aws:PrincipalArn:*:role/node*}," +
					"StringEquals:{aws:PrincipalOrgID:o-exampleorg1,sts:ExternalId:images}}}",
				"444455556666 permissions-policy 444455556666:role/pull", token,
				"  {Sid:Pull,Action:[PULL],Resource:*:444455556666:repository/*}",
			},
		},
		{
			"endpoints of the nodes' region", `unmatched: None
registries:
- {accounts: ["444455556666"], regions: [eu-west-1, us-*], assumeRoles: [{arn: "arn:aws:iam::444455556666:role/pull"}]}
- {accounts: ["777788889999"], regions: [us-*], assumeRoles: [{arn: "arn:aws:iam::777788889999:role/pull"}]}
- {accounts: [own], repositories: [team-a/]}
`, "side=endpoints region=eu-west-1 node=" + node,
			[]string{
				"111122223333 endpoint-policy com.amazonaws.eu-west-1.sts",
				"  {Sid:AssumePullRole,Principal:{AWS:*},Action:ASSUME,Resource:[444455556666:role/pull,777788889999:role/pull],Condition:{ArnLike:{aws:PrincipalArn:111122223333:role/node}}}",
				"  {Sid:OwnAccount,Principal:{AWS:*},Action:sts:GetCallerIdentity,Resource:*,Condition:{ArnLike:{aws:PrincipalArn:111122223333:role/node}}}",
				"111122223333 endpoint-policy com.amazonaws.eu-west-1.ecr.api",
				"  {Sid:Token,Principal:{AWS:*},Action:TOKEN,Resource:*,Condition:{ArnLike:{aws:PrincipalArn:[444455556666:role/pull,111122223333:role/node]}}}",
				"111122223333 endpoint-policy com.amazonaws.eu-west-1.ecr.dkr",
				"  {Sid:Pull,Principal:{AWS:*},Action:[PULL],Resource:eu-west-1:444455556666:repository/*,Condition:{ArnLike:{aws:PrincipalArn:444455556666:role/pull}}}",
				"  {Sid:Pull2,Principal:{AWS:*},Action:[PULL],Resource:eu-west-1:111122223333:repository/team-a/*,Condition:{ArnLike:{aws:PrincipalArn:111122223333:role/node}}}",
				"111122223333 endpoint-policy com.amazonaws.eu-west-1.s3",
				"  {Sid:Layers,Principal:{AWS:*},Action:s3:GetObject,Resource:arn:aws:s3:::prod-eu-west-1-starport-layer-bucket/*}",
			},
		},
		{
			"roles of another partition are left out",
			`registries:
- {accounts: ["444455556666"], assumeRoles: [{arn: "arn:{partition}:iam::{account}:role/pull"}]}
- {accounts: ["777788889999"], regions: [us-*], assumeRoles: [{arn: "arn:aws:iam::777788889999:role/pull"}]}
`, "side=nodes node=arn:aws-cn:iam::111122223333:role/node",
			[]string{
				"111122223333 node-policy arn:aws-cn:iam::111122223333:role/node",
				"  {Sid:AssumePullRole,Action:ASSUME,Resource:arn:aws-cn:iam::444455556666:role/pull}", token,
				"  {Sid:Pull,Action:[PULL],Resource:arn:aws-cn:ecr:*:*:repository/*}",
			},
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			checkDerived(t, test.entries, test.facts, test.want)
		})
	}
}

// checkDerived checks the documents for a configuration's entries and the facts.
func checkDerived(t *testing.T, entries, known string, want []string) {
	t.Helper()
	f, r := facts(t, known)
	items, err := iampolicy.Derive(load(t, entries), f, r)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, brief(t, items)); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

// everyAccount has a hub that assumes a role in every account except some.
const everyAccount = `registries:
- {accounts: ["777788889999"], assumeRoles: [{arn: "arn:aws:iam::777788889999:role/own"}]}
- accounts: ["*"]
  exceptAccounts: [own, "602401143452"]
  assumeRoles: [{arn: "arn:aws:iam::999900001111:role/hub"}, {arn: "arn:aws:iam::{account}:role/pull"}]
`

// rolesOfOneAccount has a role for each account of images. All of them are in the nodes'
// account.
const rolesOfOneAccount = `unmatched: None
registries:
- accounts: ["*"]
  exceptAccounts: [own, "602401143452"]
  assumeRoles: [{arn: "arn:aws:iam::111122223333:role/ecr-{account}"}]
`

// TestDeriveWithoutFacts: a missing fact is an error that names the flag.
func TestDeriveWithoutFacts(t *testing.T) {
	t.Parallel()
	const (
		one            = "registries:\n- {accounts: [\"444455556666\"], assumeRoles: [{arn: \"arn:aws:iam::444455556666:role/pull\"}]}\n"
		serviceAccount = "unmatched: None\nregistries:\n- {accounts: [\"444455556666\"], source: ServiceAccount, serviceAccount: {allowedRoles: [\"arn:aws:iam::444455556666:role/pull-*\"]}}\n"
		anyNode        = "node=arn:aws:iam::*:role/node*"
		aSA            = " sa=a/x=arn:aws:iam::444455556666:role/pull-a"
	)
	tests := []struct{ name, entries, facts, flag, want string }{
		{"node role", one, "", "--node-role", "the role of the nodes is not known; name it with --node-role"},
		{"node role of the images' side", one, "region=eu-west-1 side=images", "--node-role", "registries[0]: the role of the nodes is not known"},
		{"node role of endpoints", one, "region=eu-west-1 side=endpoints", "--node-role", "the role of the nodes is not known"},
		{"one node role for the nodes' side", one, "side=nodes " + anyNode, "--node-role", "the nodes' policy needs the ARN of the one role"},
		{"own account", "registries:\n- {accounts: [own]}\n", "region=eu-west-1", "--node-role", "registries[0]: the entry names the nodes' own account"},
		{"region", one, "side=endpoints node=" + node, "--region", "the region of the VPC's endpoints is not known; name it with --region"},
		{"organization of nodes", one, "side=images " + anyNode, "--organization", "must not trust every account of AWS"},
		{"organization of repositories", "registries:\n- {accounts: [\"444455556666\"]}\n", "side=images " + anyNode, "--organization", "must not allow every account of AWS"},
		{"organization of images", everyAccount, "side=nodes account=999900001111 node=" + node, "", ""},
		{"organization of the hub's images", everyAccount, "account=999900001111 node=" + node, "--organization", "registries[1]: the policy for roles of every account needs the organization"},
		{"account", everyAccount, "org node=" + node, "--account ID, or leave out the images' side with --side nodes", "registries[1]: the images' side needs one account, and the entry is for every account"},
		{"account of repositories", "registries:\n- {accounts: [\"*\"]}\n", "node=" + node, "--account ID, or leave out the images' side with --side nodes", "registries[0]: "},
		{"issuer", serviceAccount, "node=" + node + aSA, "--issuer", "the issuer of the cluster's service account tokens is not known"},
		{"service account", serviceAccount, "issuer node=" + node, "--service-account NAMESPACE/NAME=ROLE_ARN", "registries[0]: no service account is known"},
		{"a service account without its role", serviceAccount, "issuer sa=a/x node=" + node, "--service-account NAMESPACE/NAME=ROLE_ARN", "registries[0]: no service account"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			f, r := facts(t, test.facts)
			_, err := iampolicy.Derive(load(t, test.entries), f, r)
			if test.want == "" {
				if err != nil {
					t.Errorf("got %v, want no error", err)
				}
				return
			}
			if flag, ok := iampolicy.IsMissing(err); !ok || flag != test.flag || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got flag %q: %v\nwant flag %q: %s", flag, err, test.flag, test.want)
			}
		})
	}
}

// TestDeriveErrors: facts that do not fit the configuration are errors.
func TestDeriveErrors(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, entries, facts, want string }{
		{
			"a role for each region of a pattern", "registries:\n- {accounts: [\"444455556666\"], regions: [us-*], assumeRoles: [{arn: \"arn:aws:iam::444455556666:role/pull-{region}\"}]}\n",
			"node=" + node, "registries[0]: the roles' names depend on the region; list the entry's regions by name",
		},
		{
			"roles of one account for every account", rolesOfOneAccount, "node=" + node,
			`registries[0]: the name of role arn:aws:iam::111122223333:role/ecr-* depends on the images' account; name the accounts in place of "*", or use --side nodes`,
		},
		{"two partitions", everyAccount, "node=" + node + " region=cn-north-1", "are in the partitions aws and aws-cn"},
		{
			"a service account that nothing allows",
			"registries:\n- {accounts: [\"444455556666\"], source: ServiceAccount, serviceAccount: {allowedRoles: [\"arn:aws:iam::444455556666:role/pull-*\"]}}\n",
			"issuer node=" + node + " sa=a/x=arn:aws:iam::444455556666:role/pull-a sa=a/y=arn:aws:iam::444455556666:role/admin",
			"service account a/y: the service account's annotation eks.amazonaws.com/ecr-role-arn: role arn:aws:iam::444455556666:role/admin is not one of allowedRoles",
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			f, r := facts(t, test.facts)
			if _, err := iampolicy.Derive(load(t, test.entries), f, r); err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v\nwant %s", err, test.want)
			}
		})
	}
}
