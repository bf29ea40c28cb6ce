//go:build linux

package iam_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"ecr-cross-account-credential-provider/test/fakeaws"
)

// example is a configuration, the documents for it, and the images to pull.
type example struct {
	configuration string
	// edits are pairs of texts to replace in the configuration, old and new. The new
	// texts are paths and hosts that exist in the test, or additional settings.
	edits []string
	// runs are the arguments of the runs of iam that print all documents, without
	// --config and --node-role.
	runs []string
	// nodeRoles are the node roles that the documents name. The default is nodeRole.
	nodeRoles []string
	pulls     []pull
	// strangers are the nodes, pods and accounts that a condition excludes, by the
	// condition's key.
	strangers map[string]stranger
	// onPremises means that the node has no IMDS.
	onPremises bool
}

// pull is an image to pull.
type pull struct {
	image string
	// from is the repository from which the runtime pulls.
	from fakeaws.Repository
	// pod means that a pod pulls it with the token of its service account.
	pod bool
	// imported means that only the upstream of a pull-through cache has the image.
	imported bool
	// admitted means that the image's owner lets everybody pull.
	admitted bool
}

// stranger is a situation in which exactly one condition refuses a pull.
type stranger struct {
	pull pull
	edit [2]string // a replacement in the configuration
	// nodeRole is the node's role in place of the default.
	nodeRole string
	// homeless is an account that is not in the organization.
	homeless string
	// trusting is a role that trusts everybody, in place of its trust policy in the
	// documents.
	trusting string
	// name and audience are for the pod's token. They replace those of the example.
	name, audience string
}

func repository(account, name string) fakeaws.Repository {
	return fakeaws.Repository{Account: account, Region: region, Name: name}
}

func private(account, name string) pull {
	return pull{image: account + ".dkr.ecr." + region + ".amazonaws.com/" + name, from: repository(account, name)}
}

func byPod(p pull) pull { p.pod = true; return p }

func admitted(p pull) pull { p.admitted = true; return p }

var (
	images = private("444455556666", "team-a/app")
	shop   = private("777788889999", "shop/web")
	own    = private(nodeAccount, "tools/agent") // no entry matches it
)

// otherID is a stranger with another external ID, which a trust policy must refuse.
var otherID = stranger{pull: images, edit: [2]string{"externalID: images-for-111122223333", "externalID: images-for-another"}}

const oneSide, bothSides = "--side endpoints --region eu-west-1", ""

// examples are the configurations of config-examples. The last ones cover settings that
// none of these files has.
var examples = []example{
	{configuration: "minimal.yaml", runs: []string{bothSides, oneSide}, pulls: []pull{images, own}, strangers: map[string]stranger{"sts:ExternalId": otherID}},
	{configuration: "chained-role.yaml", runs: []string{bothSides, oneSide}, pulls: []pull{images, own}, strangers: map[string]stranger{"sts:ExternalId": otherID}},
	{
		configuration: "hybrid-nodes.yaml", edits: []string{"/etc/aws/hybrid/config", "DIR/hybrid"}, onPremises: true,
		runs: []string{bothSides, oneSide}, pulls: []pull{images, own}, strangers: map[string]stranger{"sts:ExternalId": otherID},
	},
	{
		configuration: "privatelink.yaml", edits: []string{
			"vpce-0123456789abcdef0-abcd1234.api.ecr.eu-west-1.vpce.amazonaws.com", "api.ecr.eu-west-1.amazonaws.com",
			"vpce-0fedcba9876543210-dcba4321.sts.eu-west-1.vpce.amazonaws.com", "sts.eu-west-1.amazonaws.com",
		},
		runs: []string{bothSides, oneSide}, pulls: []pull{images, own}, strangers: map[string]stranger{"sts:ExternalId": otherID},
	},
	{
		configuration: "partitions.yaml", runs: []string{bothSides, oneSide},
		pulls: []pull{images, private("123456789012", "app"), own},
	},
	{
		configuration: "without-role.yaml", runs: []string{bothSides, oneSide},
		pulls: []pull{images, own},
	},
	{
		configuration: "mirrors.yaml", runs: []string{bothSides, oneSide},
		pulls: []pull{
			{image: "docker.io/library/nginx", from: repository("444455556666", "docker-hub/library/nginx"), imported: true},
			own,
		},
	},
	{
		configuration: "many-accounts.yaml", onPremises: true,
		runs: []string{
			"--side nodes --organization o-exampleorgid", "--side images --account 444455556666", "--side images --account 777788889999",
			oneSide + " --organization o-exampleorgid",
		},
		pulls: []pull{
			images, shop, own, admitted(private("602401143452", "eks/coredns")), admitted(private("877085696533", "eks/coredns")),
			admitted(private("800184023465", "eks/coredns")),
		},
		strangers: map[string]stranger{
			"sts:ExternalId":    {pull: shop, edit: otherID.edit},
			"aws:ResourceOrgID": {pull: images, homeless: "444455556666"},
			"aws:ResourceAccount": {
				pull: admitted(private("602401143452", "eks/coredns")), edit: [2]string{`  - "602401143452"`, "  #"}, trusting: "arn:aws:iam::602401143452:role/ecr-pull",
			},
		},
	},
	{
		configuration: "service-account.yaml",
		runs:          serviceAccount("--side images", "--side nodes", oneSide),
		pulls:         []pull{byPod(images), byPod(shop), own},
		strangers: map[string]stranger{
			"sts:ExternalId": {pull: byPod(shop), edit: otherID.edit},
			":sub":           {pull: byPod(images), name: "another"},
			":aud":           {pull: byPod(images), audience: "another"},
		},
	},
	{
		configuration: "minimal.yaml", nodeRoles: []string{"arn:aws:iam::*:role/node*"}, runs: []string{"--side images --organization o-exampleorgid"},
		pulls: []pull{images},
		strangers: map[string]stranger{
			"sts:ExternalId":     otherID,
			"aws:PrincipalOrgID": {pull: images, homeless: nodeAccount},
			"aws:PrincipalArn":   {pull: images, nodeRole: "arn:aws:iam::111122223333:role/other"},
		},
	},
	{
		configuration: "minimal.yaml", edits: []string{"externalID:", "duration: 12h\n    sessionTags: {team: a, node: \"{node}\"}\n    policy: PullOnly\n    externalID:", "registries:", "unmatched: None\nregistries:"},
		runs: []string{bothSides}, pulls: []pull{images}, strangers: map[string]stranger{"sts:ExternalId": otherID},
	},
}

func serviceAccount(runs ...string) []string {
	for i := range runs {
		runs[i] += " --issuer " + issuerURL + " --service-account team-a/app=" + podRole
	}
	return runs
}

// name returns the name of the subtest for the example.
func (e example) name() string {
	return strings.Join(append([]string{e.configuration}, e.nodeRoles...), " ") + map[bool]string{true: " edited"}[len(e.nodeRoles) == 0 && len(e.edits) > 4]
}

// write writes the configuration into a directory and returns its path.
func (e example) write(t *testing.T, dir string, edits ...string) string {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(root, "config-examples", e.configuration))
	if err != nil {
		t.Fatal(err)
	}
	text := string(content)
	for pairs := range slices.Chunk(slices.Concat(e.edits, edits), 2) {
		if pairs[0] != "" && !strings.Contains(text, pairs[0]) {
			t.Fatalf("%s does not contain %q", e.configuration, pairs[0])
		}
		if pairs[0] != "" {
			text = strings.ReplaceAll(text, pairs[0], strings.ReplaceAll(pairs[1], "DIR", dir))
		}
	}
	file := filepath.Join(dir, "config.yaml")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// stranger returns the stranger that a condition excludes. The condition is a key. The
// key is followed by a value if only that value was removed.
func (e example) stranger(condition string) (key string, s stranger, ok bool) {
	name, value, _ := strings.Cut(condition, " ")
	for key, s := range e.strangers {
		if strings.HasSuffix(name, key) && (value == "" || value == s.pull.from.Account) {
			return key, s, true
		}
	}
	return "", stranger{}, false
}
