package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"ecr-cross-account-credential-provider/test/fakeaws"
)

// aheadCases mint tokens before pods need them.
var aheadCases = []Case{
	{ID: "ahead", Name: "refresh runs, 20 pods of 3 registries start, AWS is down for 11 hours", Setup: Setup{
		Config: threeRegistries, Kubelet: "serializeImagePulls: false\n",
	}, Run: ahead},
}

// threeRegistries names registries of three accounts. refresh can mint tokens for all
// of them.
const threeRegistries = oneRole + chainEntry + `  regions: [eu-central-1]
- accounts: [own]
`

// ahead checks that pulls after refresh cause no calls, neither normally nor in an
// outage. In the outage, the clocks of AWS, its registries and the plugin are 11 hours
// ahead, and all APIs are down. A new kubelet has an empty cache. So for each new image
// the plugin must serve a token that is no longer fresh.
func ahead(ctx context.Context, n *Node) error {
	var first, second []string
	before := 0
	return steps(
		func() error { return n.refresh(ctx) },
		func() (err error) { n.AWS.Forget(); first, err = n.ofThree(ctx, "light", 1); return err },
		func() error { return n.StartKubelet(ctx) },
		func() error { return n.Ready(ctx, first...) },
		n.silent,
		func() error { return n.StopKubelet(ctx) },
		func() error { n.dark(outage); before = len(n.runs()); return n.installAhead(outage) },
		func() error { return n.StartKubelet(ctx) },
		func() (err error) { second, err = n.ofThree(ctx, "dark", 2); return err },
		func() error { return n.Ready(ctx, second...) },
		n.silent,
		func() error { return stale(n.runs()[before:]) },
		func() error { return n.NoEvent("Failed") },
	)
}

const (
	outage   = 11 * time.Hour
	cacheDir = "/run/ecr-cross-account-credential-provider" // the plugin's default
)

// installAhead installs the plugin with a clock that is ahead. The program is the test
// binary of the plugin, which takes clock and cache from its environment.
func (n *Node) installAhead(ahead time.Duration) error {
	tests, err := os.ReadFile(filepath.Join(binDir, "plugin-clock"))
	if err != nil {
		return err
	}
	binary := filepath.Join(pluginsDir, "ahead", pluginName) // under this name, the test binary runs as the plugin
	if err := os.MkdirAll(filepath.Dir(binary), 0o755); err != nil {
		return err
	}
	script := fmt.Sprintf("#!/bin/sh\nTEST_CLOCK_AHEAD=%s TEST_CACHE=%s exec %s \"$@\"\n", ahead, cacheDir, binary)
	return errors.Join(
		writeFile(binary, string(tests), 0o755),
		writeFile(filepath.Join(pluginsDir, ".new"), script, 0o755),
		os.Rename(filepath.Join(pluginsDir, ".new"), filepath.Join(pluginsDir, pluginName)),
	)
}

// stale returns an error unless runs of the plugin have served stale tokens, which the
// kubelet may keep for at most 5 minutes.
func stale(runs []witnessed) error {
	if len(runs) == 0 {
		return errors.New("the kubelet did not run the plugin in the outage")
	}
	for _, run := range runs {
		a := run.answer()
		if keep, err := time.ParseDuration(a.CacheDuration); err != nil || keep > 5*time.Minute || len(a.Auth) == 0 {
			return fmt.Errorf("want a token to keep for 5m at most, got exit %d, %d tokens for %q", run.Exit, len(a.Auth), a.CacheDuration)
		}
	}
	return nil
}

// refresh runs the plugin's command refresh, as the timer does.
func (n *Node) refresh(ctx context.Context) error {
	plugin := exec.CommandContext(ctx, filepath.Join(pluginsDir, pluginName), "refresh", "--provider-config", providersConfigPath)
	out, err := plugin.CombinedOutput()
	if err != nil {
		return fmt.Errorf("refresh: %w: %s", err, out)
	}
	if n := strings.Count(string(out), "minted "); n != 3 {
		return fmt.Errorf("refresh minted %d tokens, want 3: %s", n, out)
	}
	return nil
}

// ofThree starts 20 pods with images of three registries, which have the same tag.
func (n *Node) ofThree(ctx context.Context, name string, tag int) ([]string, error) {
	var names []string
	for i := range manyPods {
		image := []string{
			fmt.Sprintf("%s/team-a/%s%d:%d", firstRegistry, name, i, tag),
			fmt.Sprintf("%s/shop/%s%d:%d", secondRegistry, name, i, tag),
			fmt.Sprintf("%s/team-a/%s%d:%d", ownRegistry, name, i, tag),
		}[i%3]
		pod := fmt.Sprintf("%s%d", name, i)
		if err := n.Pod(ctx, pod, image); err != nil {
			return nil, err
		}
		names = append(names, pod)
	}
	return names, nil
}

// silent returns an error if the plugin did not run, or if AWS got a call.
func (n *Node) silent() error {
	if len(n.runs()) == 0 {
		return errors.New("the kubelet did not run the plugin")
	}
	return n.unasked(fakeaws.STS, fakeaws.ECR, fakeaws.IMDS)
}

// unasked returns an error if one of the services got a call.
func (n *Node) unasked(services ...fakeaws.Service) error {
	if calls := n.AWS.Calls(services...); len(calls) > 0 {
		return fmt.Errorf("AWS got %d calls, want none; the first is %s", len(calls), calls[0])
	}
	return nil
}

// dark stops AWS's APIs, and sets the clock of AWS and its registries ahead.
func (n *Node) dark(ahead time.Duration) {
	for _, service := range []fakeaws.Service{fakeaws.IMDS, fakeaws.STS, fakeaws.ECR} {
		n.AWS.Break(service, fakeaws.Fault{Kind: fakeaws.BlackHole})
	}
	n.AWS.World.SetSkew(ahead)
}
