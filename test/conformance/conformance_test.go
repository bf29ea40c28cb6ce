// Package conformance lets the plugin code of real kubelets run the plugin's
// binary, and checks how they use its answers. The kubelets are programs in
// separate modules, one for each release.
package conformance

import (
	"strings"
	"testing"

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

const mirror = oneRole + `
mirrors:
- host: docker.io
  registry: 444455556666.dkr.ecr.eu-west-1.amazonaws.com/docker-hub
`

const mirrorByRepository = byRepository + `
mirrors:
- host: docker.io
  registry: 444455556666.dkr.ecr.eu-west-1.amazonaws.com/team-a
unmatched: None
`

const fallback = `
registries:
- accounts: ["444455556666"]
  assumeRoles:
  - arn: arn:aws:iam::444455556666:role/absent
  whenRefused: Node
`

// pull is an image that a pod wants, and the principals whose tokens the kubelet
// then has.
type pull struct {
	image string
	as    []string
}

// TestLookups: for each configuration, the kubelet looks up images in the order in
// which pods want them. The number of runs shows what it cached.
func TestLookups(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		config string // empty means no file
		fault  func(*fakeaws.Server)
		pulls  []pull
		runs   int
		log    string
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
			name: "repositories named like a registry's API", config: byRepository,
			pulls: []pull{{first + "/v1/app", []string{asNode}}, {first + "/v2/team-a/app", []string{asNode}}}, runs: 2,
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
			name: "a mirror of Docker Hub", config: mirror,
			pulls: []pull{{"nginx", []string{asFirst}}, {"docker.io/library/nginx", []string{asFirst}}, {"docker.io/grafana/loki:3", []string{asFirst}}}, runs: 1,
		},
		{
			name: "a mirror where repositories decide", config: mirrorByRepository,
			pulls: []pull{{"docker.io/library/nginx", []string{asFirst}}, {"busybox", []string{asFirst}}, {"nginx", []string{asFirst}}}, runs: 2,
		},
		{
			name: "one name that is too long for ECR does not speak for its mirror", config: mirror,
			pulls: []pull{{"docker.io/x/" + strings.Repeat("a", 250), nil}, {"nginx", []string{asFirst}}}, runs: 2,
		},
		{
			name: "left to others: remembered", config: oneRole + "unmatched: None\n",
			pulls: []pull{{own + "/a", nil}, {own + "/b", nil}, {first + "/a", []string{asFirst}}}, runs: 2,
		},
		{
			name: "public, refused: an anonymous pull", config: oneRole,
			fault: func(s *fakeaws.Server) { s.Break(fakeaws.ECRPublic, fakeaws.Denied()) },
			pulls: []pull{{"public.ecr.aws/x/y", nil}, {"public.ecr.aws/x/z", nil}}, runs: 1,
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
			fault: func(s *fakeaws.Server) { s.World.TokenLife = 1e9 },
			pulls: []pull{{first + "/a", []string{asFirst}}, {first + "/a", []string{asFirst}}}, runs: 2,
		},
		{
			name: "a hang", config: oneRole + "deadline: 10s\n",
			fault: func(s *fakeaws.Server) { s.Break(fakeaws.STS, fakeaws.Fault{Kind: fakeaws.HangHeaders}) },
			pulls: []pull{{first + "/a", nil}}, runs: 1,
			log: "in time (waiting for its answer); the connection works, but STS does not answer",
		},
		{
			name: "a broken configuration", config: "registry: []\n",
			pulls: []pull{{first + "/a", nil}}, runs: 1,
			log: "exit status 2: ecr-cross-account-credential-provider: ",
		},
	}
	for _, r := range releases {
		for _, test := range tests {
			for _, version := range []string{"v1", "v1beta1", "v1alpha1"} {
				t.Run(r.version+" "+test.name+" "+version, func(t *testing.T) {
					t.Parallel()
					aws := startAWS(t)
					if test.fault != nil {
						test.fault(aws)
					}
					node := install(t, name)
					k := kubelet{Config: node.configure(t, "providers.yaml", entry(t, name, version, test.config)), BinDir: node.dir}
					want := outcome{runs: test.runs, log: test.log}
					for _, p := range test.pulls {
						k.Lookups = append(k.Lookups, pod{Image: p.image})
						want.as = append(want.as, p.as)
					}
					r.check(t, node, aws, k, want)
				})
			}
		}
	}
}
