package main

import (
	"context"
	"fmt"
	"strings"

	"ecr-cross-account-credential-provider/test/fakeaws"
)

// These are the examples that the cases use, unchanged.
const (
	accountsConfig    = "config-examples/service-account.yaml"
	accountsProviders = "config-examples/kubelet/service-account.yaml"
	teamAManifest     = "config-examples/kubernetes/service-account.yaml"
	audienceManifest  = "config-examples/kubernetes/node-audience-cluster-role.yaml"
)

const (
	teamARole    = "arn:aws:iam::" + fakeaws.FirstAccount + ":role/pull-team-a"
	teamASession = "arn:aws:sts::" + fakeaws.FirstAccount + ":assumed-role/pull-team-a/team-a.app"
	teamBRole    = "arn:aws:iam::" + fakeaws.FirstAccount + ":role/pull-team-b"
	teamBSession = "arn:aws:sts::" + fakeaws.FirstAccount + ":assumed-role/pull-team-b/team-b.app"
	teamCRole    = "arn:aws:iam::" + fakeaws.FirstAccount + ":role/pull-team-c"
	teamCSession = "arn:aws:sts::" + fakeaws.FirstAccount + ":assumed-role/pull-team-c/team-c.app"
)

// byAccounts is a node in a cluster that the examples have set up. The roles of teams A
// and B may pull repositories below shared/. The role of team C may not.
var byAccounts = Setup{
	APIServer: true,
	Examples:  map[string]string{configPath: accountsConfig, providersConfigPath: accountsProviders},
	World: func(w *fakeaws.World) {
		shared := []string{firstRepository("shared/*").ARN()}
		w.SetRole(fakeaws.Role{ARN: teamARole, Trust: []fakeaws.Trust{{Principal: "system:serviceaccount:team-a:app"}}, Pull: shared})
		w.SetRole(fakeaws.Role{ARN: teamBRole, Trust: []fakeaws.Trust{{Principal: "system:serviceaccount:team-b:app"}}, Pull: shared})
		w.SetRole(fakeaws.Role{ARN: teamCRole, Trust: []fakeaws.Trust{{Principal: "system:serviceaccount:team-c:app"}}})
	},
}

// orNode is a node with an entry of the examples, changed to use the node's identity
// for service accounts without a role. A policy lets the node pull.
var orNode = Setup{
	APIServer: true,
	Examples:  map[string]string{providersConfigPath: accountsProviders},
	Config: `registries:
- accounts: ["` + fakeaws.FirstAccount + `"]
  source: ServiceAccount
  serviceAccount:
    allowedRoles: ["arn:aws:iam::` + fakeaws.FirstAccount + `:role/pull-*"]
    whenNoRole: Node
`,
	World: func(w *fakeaws.World) { w.AllowPull(firstRepository("shared/app"), fakeaws.NodeAccount) },
}

// serviceAccountCases have an API server, which gives the kubelet tokens of service
// accounts. The roles trust these tokens.
var serviceAccountCases = []Case{
	{ID: "14", Name: "a service account, by the role in its annotation", Setup: byAccounts, Run: byAnnotation},
	{ID: "15", Name: "a service account without a role, by the node", Setup: orNode, Run: withoutRole},
	{ID: "16", Name: "an image on the node needs each service account's own credentials", Setup: byAccounts, Run: eachByItsOwn},
	{ID: "17", Name: "no ClusterRole for the nodes, then created", Setup: byAccounts, Run: withoutClusterRole},
}

const sharedImage = firstRegistry + "/shared/app:1"

func byAnnotation(ctx context.Context, n *Node) error {
	return steps(
		func() error { return n.Namespace(ctx, "team-a") },
		func() error { return n.Apply(ctx, teamAManifest, audienceManifest) },
		func() error { return n.StartKubelet(ctx) },
		func() error { return n.PodOf(ctx, "team-a/app", "app", sharedImage) },
		func() error { return n.Ready(ctx, "team-a/app") },
		func() error { return n.PulledBy(sharedImage, teamASession) },
	)
}

func withoutRole(ctx context.Context, n *Node) error {
	return steps(
		func() error { return n.Apply(ctx, audienceManifest) },
		func() error { return n.Team(ctx, "team-b", "") },
		func() error { return n.StartKubelet(ctx) },
		func() error { return n.PodOf(ctx, "team-b/app", "app", sharedImage) },
		func() error { return n.Ready(ctx, "team-b/app") },
		func() error { return n.PulledBy(sharedImage, nodeSession) },
	)
}

// eachByItsOwn: the image is on the node after the first pull. The kubelet has recorded
// whose credentials pulled it. Another service account can use it only with its own
// credentials. The registry accepts the second team's, and refuses the third's.
func eachByItsOwn(ctx context.Context, n *Node) error {
	return steps(
		func() error { return n.Namespace(ctx, "team-a") },
		func() error { return n.Apply(ctx, teamAManifest, audienceManifest) },
		func() error { return n.Team(ctx, "team-b", teamBRole) },
		func() error { return n.Team(ctx, "team-c", teamCRole) },
		func() error { return n.StartKubelet(ctx) },
		func() error { return n.PodOf(ctx, "team-a/app", "app", sharedImage) },
		func() error { return n.Ready(ctx, "team-a/app") },
		func() error { return n.PodOf(ctx, "team-b/app", "app", sharedImage) },
		func() error { return n.Ready(ctx, "team-b/app") },
		func() error { return n.PodOf(ctx, "team-c/app", "app", sharedImage) },
		func() error { return n.Waiting(ctx, "ErrImagePull", "403 Forbidden", "team-c/app") },
		func() error { return n.RefusedTo(sharedImage, teamCSession) },
		func() error { return n.PodOf(ctx, "team-a/again", "app", sharedImage) },
		func() error { return n.Ready(ctx, "team-a/again") },
		func() error { return n.PulledBy(sharedImage, teamASession, teamBSession) },
	)
}

// audienceRefused quotes TROUBLESHOOTING.md, which quotes the kubelet's log. Its dots
// stand for any text.
const audienceRefused = "failed to get service account token: … not authorized …"

func withoutClusterRole(ctx context.Context, n *Node) error {
	return steps(
		func() error { return n.Namespace(ctx, "team-a") },
		func() error { return n.Apply(ctx, teamAManifest) },
		func() error { return n.StartKubelet(ctx) },
		func() error { return n.PodOf(ctx, "team-a/app", "app", sharedImage) },
		func() error { return n.Waiting(ctx, "ErrImagePull", "401 Unauthorized", "team-a/app") },
		func() error { return n.saidAsDocumented(audienceRefused) },
		func() error {
			if len(n.runs()) > 0 {
				return fmt.Errorf("%w: the kubelet ran the plugin", errUnexpected)
			}
			return nil
		},
		func() error { return n.PublicEvent(ctx, "team-a", "401 Unauthorized") },
		func() error { return n.Apply(ctx, audienceManifest) },
		func() error { return n.Ready(ctx, "team-a/app") },
		func() error { return n.PulledBy(sharedImage, teamASession) },
		func() error { return n.NoEvent("audience") },
	)
}

// saidAsDocumented returns an error unless TROUBLESHOOTING.md contains a phrase and the
// kubelet's log has a matching line.
func (n *Node) saidAsDocumented(phrase string) error {
	const page = "config-examples/TROUBLESHOOTING.md"
	text, err := document(page)
	switch {
	case err != nil:
		return err
	case !strings.Contains(text, phrase):
		return fmt.Errorf("%s does not contain %q", page, phrase)
	case len(n.KubeletLog(strings.Split(phrase, "…")...)) == 0:
		return fmt.Errorf("the kubelet's log does not contain %q", phrase)
	}
	return nil
}
