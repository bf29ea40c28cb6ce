package main

import (
	"context"

	"ecr-cross-account-credential-provider/test/fakeaws"
)

// identityCases check with whose token each image is pulled.
var identityCases = []Case{
	{ID: "1", Name: "another account, by one role", Setup: Setup{Config: oneRole}, Run: pulls(firstRegistry+"/team-a/app:1", firstSession)},
	{ID: "2", Name: "another account, by a chain of roles with an external ID", Setup: Setup{Config: chain}, Run: pulls(secondRegistry+"/shop/cart:1", secondSession)},
	{ID: "3", Name: "two accounts in one pod", Setup: Setup{Config: oneRole + chainEntry}, Run: twoAccounts},
	{ID: "4", Name: "the own account", Setup: Setup{Config: oneRole}, Run: pulls(ownRegistry+"/base/java:1", nodeSession)},
	{ID: "5a", Name: "another account without a role or a policy: refused", Run: foreignRefused},
	{ID: "5b", Name: "another account by a repository policy", Setup: Setup{World: func(w *fakeaws.World) {
		w.AllowPull(firstRepository("team-a/app"), fakeaws.NodeAccount)
	}}, Run: pulls(firstRegistry+"/team-a/app:1", nodeSession)},
	{ID: "5c", Name: "another account by a registry policy", Setup: Setup{World: func(w *fakeaws.World) {
		w.AllowPull(firstRepository(""), fakeaws.NodeAccount)
	}}, Run: pulls(firstRegistry+"/team-a/app:1", nodeSession)},
}

func twoAccounts(ctx context.Context, n *Node) error {
	first, second := firstRegistry+"/team-a/app:1", secondRegistry+"/shop/cart:1"
	return steps(
		func() error { return n.StartKubelet(ctx) },
		func() error { return n.Pod(ctx, "both", first, second) },
		func() error { return n.Ready(ctx, "both") },
		func() error { return n.PulledBy(first, firstSession) },
		func() error { return n.PulledBy(second, secondSession) },
	)
}

func foreignRefused(ctx context.Context, n *Node) error {
	image := firstRegistry + "/team-a/app:1"
	return steps(
		func() error { return n.StartKubelet(ctx) },
		func() error { return n.Pod(ctx, "app", image) },
		func() error { return n.Waiting(ctx, "ErrImagePull", "403 Forbidden", "app") },
		func() error { return n.RefusedTo(image, nodeSession) },
	)
}
