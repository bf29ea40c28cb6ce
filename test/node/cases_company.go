package main

import (
	"context"

	"ecr-cross-account-credential-provider/test/fakeaws"
)

const (
	stockName = "ecr-credential-provider"
	asidePath = "/etc/kubernetes/cross-account.yaml"
)

// asStock is the stock plugin's entry: no arguments, and no configuration.
var asStock = Provider{Name: stockName, CacheDuration: "12h"}

// aside is the plugin with a configuration at another path. So the plugin under the
// stock name does not find that configuration.
var aside = Provider{Name: pluginName, Args: []string{"--config=" + asidePath, "get-credentials"}}

// companyCases run the plugin instead of the stock one, beside it, or with mirrors.
var companyCases = []Case{
	{ID: "7", Name: "as the stock plugin", Setup: Setup{Providers: []Provider{asStock}, World: func(w *fakeaws.World) {
		w.AllowPull(firstRepository("team-a/app"), nodeRole)
	}}, Run: asTheStockPlugin},
	{
		ID: "8a", Name: "before another provider of the same images",
		Setup: Setup{Providers: []Provider{aside, asStock}, Files: map[string]string{asidePath: configHead + oneRole}},
		Run:   pulls(firstRegistry+"/team-a/app:1", firstSession),
	},
	{
		ID: "8b", Name: "behind another provider of the same images",
		Setup: Setup{Providers: []Provider{asStock, aside}, Files: map[string]string{asidePath: configHead + oneRole}},
		Run:   behindAnother,
	},
	{ID: "13", Name: "a mirror of the registry", Setup: Setup{Config: oneRole, Hosts: map[string]string{firstRegistry: mirrored}}, Run: byMirror},
}

const mirrored = `server = "https://` + firstRegistry + `"
[host."https://` + mirrorHost + `"]
  capabilities = ["pull", "resolve"]
`

func asTheStockPlugin(ctx context.Context, n *Node) error {
	return steps(
		func() error { return n.StartKubelet(ctx) },
		func() error { return n.Pulls(ctx, "own", ownRegistry+"/base/java:1", nodeSession) },
		func() error { return n.Pulls(ctx, "other", firstRegistry+"/team-a/app:1", nodeSession) },
	)
}

// behindAnother: when a registry refuses the first credentials, the kubelet tries those
// of the plugin.
func behindAnother(ctx context.Context, n *Node) error {
	image := firstRegistry + "/team-a/app:1"
	return steps(
		func() error { return pulls(image, firstSession)(ctx, n) },
		func() error { return n.RefusedTo(image, nodeSession) },
	)
}

// byMirror: the kubelet requests credentials for the image's host, and containerd sends
// them to the mirror.
func byMirror(ctx context.Context, n *Node) error {
	return steps(
		func() error { return n.StartKubelet(ctx) },
		func() error { return n.Pod(ctx, "app", firstRegistry+"/team-a/app:1") },
		func() error { return n.Ready(ctx, "app") },
		func() error { return n.PulledBy(mirrorHost+"/team-a/app:1", firstSession) },
		func() error {
			if n.PulledBy(firstRegistry+"/team-a/app:1", firstSession) == nil {
				return errUnexpected
			}
			return nil
		},
	)
}
