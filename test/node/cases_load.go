package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"ecr-cross-account-credential-provider/test/fakeaws"
)

// loadCases start many pods at once.
var loadCases = []Case{
	{ID: "9", Name: "20 pods of 10 repositories on a cold node", Setup: Setup{
		Config: oneRole, Kubelet: "serializeImagePulls: false\n", RoundTrip: 100 * time.Millisecond,
	}, Run: coldNode},
	{ID: "upgrade", Name: "the binary is replaced while 20 pods start", Setup: Setup{Config: byRepository, Unwatched: true}, Run: upgrade},
}

// byRepository makes the kubelet keep an answer for one repository only. So it runs the
// plugin for each repository.
const byRepository = `registries:
- accounts: ["` + fakeaws.FirstAccount + `"]
  repositories: [team-a/]
  assumeRoles:
  - arn: ` + firstRole + "\n"

const manyPods, manyRepositories = 20, 10

// many starts all pods, and returns their names.
func (n *Node) many(ctx context.Context) ([]string, error) {
	var names []string
	for i := range manyPods {
		name := fmt.Sprintf("app%d", i)
		if err := n.Pod(ctx, name, fmt.Sprintf("%s/team-a/app%d:1", firstRegistry, i%manyRepositories)); err != nil {
			return nil, err
		}
		names = append(names, name)
	}
	return names, nil
}

// coldNode counts the calls. The kubelet runs a process for each repository at the same
// time, and only one process asks AWS.
func coldNode(ctx context.Context, n *Node) error {
	names, err := n.many(ctx) // before the kubelet starts
	if err != nil {
		return err
	}
	return steps(
		func() error { return n.StartKubelet(ctx) },
		func() error { return n.Ready(ctx, names...) },
		func() error { return n.NoEvent("Failed") },
		func() error {
			for _, service := range []fakeaws.Service{fakeaws.STS, fakeaws.ECR} {
				if calls := len(n.AWS.Calls(service)); calls != 1 {
					return fmt.Errorf("%d calls of %s, want 1", calls, service)
				}
			}
			return nil
		},
	)
}

// upgrade: the kubelet runs the plugin while new versions replace its file again and
// again, by rename.
func upgrade(ctx context.Context, n *Node) error {
	if err := n.StartKubelet(ctx); err != nil {
		return err
	}
	names, err := n.many(ctx)
	if err != nil {
		return err
	}
	upgrading, ready := context.WithCancel(ctx)
	ended := make(chan error, 1)
	go func() {
		var err error
		for err == nil && upgrading.Err() == nil {
			err = n.Install(pluginName, false)
		}
		ended <- err
	}()
	err = n.Ready(ctx, names...)
	ready()
	if err = errors.Join(err, <-ended); err != nil {
		return err
	}
	if len(n.KubeletLog("Failed to provide credentials")) > 0 || n.installed < 3 {
		return fmt.Errorf("a run of the plugin failed, or it was not replaced: installed %d times", n.installed)
	}
	return n.NoEvent("Failed")
}
