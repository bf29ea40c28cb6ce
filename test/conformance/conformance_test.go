// Package conformance lets a real kubelet's plugin code run the plugin's binary,
// and looks at what the kubelet makes of its answers.
package conformance

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"ecr-cross-account-credential-provider/test/fakeaws"
)

const (
	name     = "ecr-cross-account-credential-provider"
	first    = "444455556666.dkr.ecr.eu-west-1.amazonaws.com"
	second   = "777788889999.dkr.ecr.eu-central-1.amazonaws.com"
	own      = "111122223333.dkr.ecr.eu-west-1.amazonaws.com"
	asFirst  = "arn:aws:sts::444455556666:assumed-role/ecr-pull/i-0123456789abcdef0"
	asSecond = "arn:aws:sts::777788889999:assumed-role/ecr-pull/i-0123456789abcdef0"
	asNode   = "arn:aws:sts::111122223333:assumed-role/node/i-0123456789abcdef0"
)

const oneRole = `
registries:
- accounts: ["444455556666"]
  assumeRoles:
  - arn: arn:aws:iam::444455556666:role/ecr-pull
`

const byRepository = `
registries:
- accounts: ["444455556666"]
  repositories: [team-a/]
  assumeRoles:
  - arn: arn:aws:iam::444455556666:role/ecr-pull
`

const chain = `
registries:
- accounts: ["777788889999"]
  assumeRoles:
  - arn: arn:aws:iam::777788889999:role/hub
  - arn: arn:aws:iam::777788889999:role/ecr-pull
    externalID: example-external-id
`

const wildcard = `
registries:
- accounts: ["*"]
  exceptAccounts: [own, "602401143452"]
  assumeRoles:
  - arn: arn:{partition}:iam::{account}:role/ecr-pull
`

const fallback = `
registries:
- accounts: ["444455556666"]
  assumeRoles:
  - arn: arn:aws:iam::444455556666:role/absent
  whenRefused: Node
`

// pull is an image that a pod wants, and whose tokens the kubelet then has.
type pull struct {
	image string
	as    []string
}

// TestLookups: for each configuration the kubelet looks images up one after the
// other, as pods want them; the number of runs tells what it kept.
func TestLookups(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		config string // none: no file
		break_ func(*fakeaws.Server)
		pulls  []pull
		runs   int
		log    string // must be in the kubelet's log; empty: nothing at error level
	}{
		{
			name: "another account", config: oneRole,
			pulls: []pull{{first + "/team-a/app", []string{asFirst}}}, runs: 1,
		},
		{
			name: "another account, tag", config: oneRole,
			pulls: []pull{{first + "/team-a/app:1.2", []string{asFirst}}}, runs: 1,
		},
		{
			name: "one answer for a registry", config: oneRole,
			pulls: []pull{{first + "/a", []string{asFirst}}, {first + "/b/c", []string{asFirst}}, {first + "/a", []string{asFirst}}}, runs: 1,
		},
		{
			name: "an answer for each repository", config: byRepository,
			pulls: []pull{
				{first + "/team-a/app", []string{asFirst}},
				{first + "/team-b/app", []string{asNode}},
				{first + "/team-a/app", []string{asFirst}},
				{first + "/team-a/other", []string{asFirst}},
			}, runs: 3,
		},
		{
			name: "an answer for each registry", config: oneRole,
			pulls: []pull{{first + "/a", []string{asFirst}}, {own + "/a", []string{asNode}}}, runs: 2,
		},
		{
			name: "a chain of two roles", config: chain,
			pulls: []pull{{second + "/shop/cart", []string{asSecond}}}, runs: 1,
		},
		{
			name: "wildcard", config: wildcard,
			pulls: []pull{{first + "/a", []string{asFirst}}, {own + "/a", []string{asNode}}, {"602401143452.dkr.ecr.eu-west-1.amazonaws.com/eks/pause", []string{asNode}}}, runs: 3,
		},
		{
			name: "FIPS and dual-stack hosts", config: oneRole,
			pulls: []pull{
				{"444455556666.dkr.ecr-fips.us-east-1.amazonaws.com/a", []string{asFirst}},
				{"444455556666.dkr-ecr.us-east-1.on.aws/a", []string{asFirst}},
			}, runs: 2,
		},
		{
			name: "port 443 is another registry to a kubelet", config: oneRole,
			pulls: []pull{{first + ":443/a", []string{asFirst}}}, runs: 1,
		},
		{
			name:  "no configuration",
			pulls: []pull{{own + "/base/java", []string{asNode}}, {first + "/a", []string{asNode}}, {"public.ecr.aws/x/y", []string{asNode}}}, runs: 3,
		},
		{
			name: "not ECR: remembered, with no token", config: oneRole,
			pulls: []pull{{"docker.io/library/busybox", nil}, {"docker.io/library/nginx", nil}, {"busybox", nil}}, runs: 1,
		},
		{
			name: "left to others: remembered", config: oneRole + "unmatched: None\n",
			pulls: []pull{{own + "/a", nil}, {own + "/b", nil}, {first + "/a", []string{asFirst}}}, runs: 2,
		},
		{
			name: "public, refused: an anonymous pull", config: oneRole,
			break_: func(s *fakeaws.Server) { s.Break(fakeaws.ECRPublic, fakeaws.Denied()) },
			pulls:  []pull{{"public.ecr.aws/x/y", nil}, {"public.ecr.aws/x/z", nil}}, runs: 1,
		},
		{
			name: "whenRefused", config: fallback,
			pulls: []pull{{first + "/a", []string{asNode}}, {first + "/b", []string{asNode}}}, runs: 1,
		},
		{
			name: "a refused role is never remembered by a kubelet", config: strings.ReplaceAll(oneRole, "ecr-pull", "absent"),
			pulls: []pull{{first + "/a", nil}, {first + "/a", nil}}, runs: 2,
			log: "exit status 1: ecr-cross-account-credential-provider: assuming role arn:aws:iam::444455556666:role/absent for registry " + first + " as the node's identity (EC2RoleProvider): AccessDenied: User: " + asNode + " is not authorized",
		},
		{
			name: "a token that no kubelet keeps", config: oneRole,
			break_: func(s *fakeaws.Server) { s.World.TokenLife = 1e9 },
			pulls:  []pull{{first + "/a", []string{asFirst}}, {first + "/a", []string{asFirst}}}, runs: 2,
		},
		{
			name: "a hang", config: oneRole + "deadline: 1s\n",
			break_: func(s *fakeaws.Server) { s.Break(fakeaws.STS, fakeaws.Fault{Kind: fakeaws.HangHeaders}) },
			pulls:  []pull{{first + "/a", nil}}, runs: 1,
			log: "in time (waiting for its answer); the node must reach STS there",
		},
		{
			name: "a broken configuration", config: "registry: []\n",
			pulls: []pull{{first + "/a", nil}}, runs: 1,
			log: "exit status 2: ecr-cross-account-credential-provider: ",
		},
	}
	for _, test := range tests {
		for _, version := range []string{"v1", "v1beta1", "v1alpha1"} {
			t.Run(test.name+" "+version, func(t *testing.T) {
				t.Parallel()
				aws := startAWS(t)
				if test.break_ != nil {
					test.break_(aws)
				}
				node := install(t, name)
				k := kubelet{Config: providerConfig(t, node, test.config, version), BinDir: node.dir}
				var want [][]string
				for _, p := range test.pulls {
					k.Lookups = append(k.Lookups, p.image)
					want = append(want, p.as)
				}
				found, log, err := k.run(t, aws.Env())
				if err != nil {
					t.Fatalf("%v: %s", err, log)
				}
				if diff := cmp.Diff(want, principals(t, aws, found)); diff != "" {
					t.Errorf("credentials (-want +got):\n%s\n%s", diff, log)
				}
				if got := node.runs(t, name); got != test.runs {
					t.Errorf("the plugin was run %d times, want %d", got, test.runs)
				}
				if test.log == "" && log != "" || !strings.Contains(log, test.log) {
					t.Errorf("the kubelet's log is %q, want %q in it", log, test.log)
				}
			})
		}
	}
}

func startAWS(t *testing.T) *fakeaws.Server {
	t.Helper()
	server, err := fakeaws.Start(fakeaws.ExampleWorld(), fakeaws.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = server.Close() })
	return server
}

// providerConfig writes the kubelet's CredentialProviderConfig, and the plugin's
// configuration, if there is one.
func providerConfig(t *testing.T, node installation, config, version string) string {
	t.Helper()
	args := "[get-credentials]"
	if config != "" {
		path := filepath.Join(node.dir, "config.yaml")
		writeFile(t, path, "apiVersion: ecr-cross-account-credential-provider/v1alpha1\nkind: CrossAccountConfig\n"+config, 0o644)
		args = fmt.Sprintf("[%q, get-credentials]", "--config="+path)
	}
	path := filepath.Join(node.dir, "providers.yaml")
	writeFile(t, path, fmt.Sprintf(`apiVersion: kubelet.config.k8s.io/v1
kind: CredentialProviderConfig
providers:
- name: %s
  apiVersion: credentialprovider.kubelet.k8s.io/%s
  matchImages:
  - "*.dkr.ecr*.*.amazonaws.com"
  - "*.dkr.ecr*.*.amazonaws.com:443"
  - "*.dkr-ecr*.*.on.aws"
  - public.ecr.aws
  - docker.io
  defaultCacheDuration: "0s"
  args: %s
`, name, version, args), 0o644)
	return path
}

// principals reads the tokens that the kubelet would offer.
func principals(t *testing.T, aws *fakeaws.Server, found []lookup) [][]string {
	t.Helper()
	var all [][]string
	for _, l := range found {
		var one []string
		for _, c := range l.Credentials {
			grant, err := aws.World.ReadToken(c.Password)
			if err != nil || c.Username != "AWS" {
				t.Errorf("user %q, token: %v", c.Username, err)
			}
			one = append(one, grant.Principal)
		}
		all = append(all, one)
	}
	return all
}
