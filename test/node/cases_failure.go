package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"ecr-cross-account-credential-provider/test/fakeaws"
)

// failureCases check who sees the error of a failure, and that repairing the cause is
// sufficient.
var failureCases = []Case{
	{ID: "6", Name: "a role that refuses, then repaired", Setup: Setup{Config: oneRole, World: func(w *fakeaws.World) {
		w.SetRole(fakeaws.Role{ARN: firstRole})
	}}, Run: refusedThenRepaired},
	{ID: "10", Name: "AWS down after the first pull, kubelet restarted", Setup: Setup{Config: oneRole}, Run: darkAndRestarted},
	{ID: "11", Name: "a token that has expired by AWS's clock", Setup: Setup{Config: oneRole, World: func(w *fakeaws.World) {
		w.TokenLife = tokenLife
	}}, Run: expiredToken},
	{ID: "12a", Name: "a broken configuration, then repaired", Setup: Setup{Config: "registry: []\n"}, Run: brokenThenRepaired},
	{ID: "12b", Name: "a broken entry for the kubelet: it ends", Run: brokenEntry},
}

func refusedThenRepaired(ctx context.Context, n *Node) error {
	image := firstRegistry + "/team-a/app:1"
	return steps(
		func() error { return n.StartKubelet(ctx) },
		func() error { return n.Pod(ctx, "app", image) },
		func() error { return n.Waiting(ctx, "ImagePullBackOff", "401 Unauthorized", "app") },
		func() error {
			return n.SaidInOneLine(1, "assuming role "+firstRole+" for registry "+firstRegistry, "AccessDenied", "is not authorized to perform: sts:AssumeRole")
		},
		func() error { return n.NoEvent("assuming") },
		func() error {
			n.AWS.World.SetRole(fakeaws.Role{
				ARN: firstRole, Trust: []fakeaws.Trust{{Principal: nodeRole}}, Pull: []string{firstRepository("team-a/*").ARN()},
			})
			return n.Ready(ctx, "app")
		},
		func() error { return n.PulledBy(image, firstSession) },
	)
}

// darkAndRestarted: a kubelet that has just started has an empty cache, but the
// plugin's processes share their cache.
func darkAndRestarted(ctx context.Context, n *Node) error {
	before := 0
	return steps(
		func() error { return n.StartKubelet(ctx) },
		func() error { return n.Pulls(ctx, "before", firstRegistry+"/team-a/before:1", firstSession) },
		func() error {
			for _, service := range []fakeaws.Service{fakeaws.STS, fakeaws.ECR} {
				n.AWS.Break(service, fakeaws.Fault{Kind: fakeaws.HangHandshake})
			}
			return n.StopKubelet(ctx)
		},
		func() error { before = len(n.runs()); return n.StartKubelet(ctx) },
		func() error { return n.Pulls(ctx, "after", firstRegistry+"/team-a/after:1", firstSession) },
		func() error { return n.NoEvent("Failed") },
		func() error {
			if len(n.runs()) == before {
				return errors.New("the kubelet did not run the plugin again")
			}
			return nil
		},
	)
}

// tokenLife is short, so that the kubelet soon asks again. It keeps an answer for
// half of this time.
const tokenLife = 20 * time.Second

// expiredToken: AWS's clock is set ahead, so the registry refuses the token that the
// kubelet keeps. The life of the next token must follow AWS's clock. Otherwise the
// kubelet would keep it for minutes after its expiry.
func expiredToken(ctx context.Context, n *Node) error {
	before, after := firstRegistry+"/team-a/before:1", firstRegistry+"/team-a/after:1"
	return steps(
		func() error { return n.StartKubelet(ctx) },
		func() error { return n.Pulls(ctx, "before", before, firstSession) },
		func() error {
			n.AWS.World.SetSkew(4 * time.Minute) // signatures are valid for 5
			return n.Pod(ctx, "after", after)
		},
		func() error { return n.Waiting(ctx, "ImagePullBackOff", "403 Forbidden", "after") },
		func() error { return n.RefusedTo(after, firstSession) },
		func() error { return n.Ready(ctx, "after") },
		func() error { return n.PulledBy(after, firstSession) },
		func() error { return n.keptAtMost(tokenLife / 2) },
	)
}

// keptAtMost returns an error if an answer of the plugin had a longer
// cacheDuration.
func (n *Node) keptAtMost(most time.Duration) error {
	for _, run := range n.runs() {
		d, err := time.ParseDuration(run.answer().CacheDuration)
		if err != nil {
			return fmt.Errorf("the cacheDuration of an answer: %w", err)
		}
		if d > most {
			return fmt.Errorf("the cacheDuration of an answer is %s, want at most %s", d, most)
		}
	}
	return nil
}

func brokenThenRepaired(ctx context.Context, n *Node) error {
	image := firstRegistry + "/team-a/app:1"
	return steps(
		func() error { return n.StartKubelet(ctx) },
		func() error { return n.Pod(ctx, "app", image) },
		func() error { return n.Waiting(ctx, "ErrImagePull", "401 Unauthorized", "app") },
		func() error { return n.SaidInOneLine(2, configPath+":3: registry: unknown field") },
		func() error { return n.NoEvent(configPath) },
		func() error { return n.Configure(oneRole) },
		func() error { return n.Ready(ctx, "app") },
		func() error { return n.PulledBy(image, firstSession) },
	)
}

// brokenEntry: the kubelet ends if it cannot read an entry, whichever plugin the entry
// is for.
func brokenEntry(ctx context.Context, n *Node) error {
	broken := providersConfig(n.setup.providers()) + "  roleARN: " + firstRole + "\n"
	return steps(
		func() error { return writeFile(providersConfigPath, broken, 0o644) },
		func() error {
			if err := n.StartKubelet(ctx); !errors.Is(err, errEnded) {
				return errors.Join(errUnexpected, err)
			}
			return nil
		},
		func() error {
			if len(n.KubeletLog(`unknown field \"providers[0].roleARN\"`)) == 0 {
				return errors.New("the kubelet's log does not name the unknown field")
			}
			return nil
		},
	)
}
