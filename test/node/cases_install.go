package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"

	"ecr-cross-account-credential-provider/test/fakeaws"
)

// besideStock is a node whose kubelet has only the stock provider. The plugin under the
// stock name plays that provider, with the node's identity for all images.
var besideStock = Setup{
	Systemd:   true,
	Providers: []Provider{{Name: stockName, Args: []string{"--config=" + stockConfigPath, "get-credentials"}, CacheDuration: "12h"}},
	Files:     map[string]string{stockConfigPath: configHead + "registries:\n- accounts: [own]\n"},
}

const stockConfigPath = "/etc/kubernetes/stock.yaml"

// installCases run install and uninstall of the tool under a running kubelet. install
// finds the paths in the flags of the running kubelet.
var installCases = []Case{
	{ID: "19a", Name: "install under a running kubelet, then uninstall", Setup: besideStock, Run: installed},
	{ID: "19b", Name: "install in the stock provider's place, with tokens of the timer's unit", Setup: besideStock, Run: installedInstead},
	{ID: "19c", Name: "install into a directory of configurations", Setup: withDirectory(besideStock), Run: installedInDirectory},
	{ID: "19d", Name: "install before the first start, and upgrades while 20 pods start", Setup: besideStock, Run: upgradedByTool},
	{ID: "19e", Name: "a kubelet that does not start with the plugin gets its files back", Setup: besideStock, Run: rolledBack},
	{ID: "19f", Name: "a kubelet that would not have started anyway", Setup: besideStock, Run: brokenBefore},
	{ID: "19g", Name: "no restart of a kubelet that another unit runs", Setup: besideStock, Run: ofAnotherUnit},
	{ID: "19h", Name: "no restart of a kubelet whose health install cannot check", Setup: withKubelet(besideStock, "healthzPort: 10249\n"), Run: healthElsewhere},
}

func withDirectory(s Setup) Setup {
	s.ProvidersDirectory = true
	return s
}

func withKubelet(s Setup, config string) Setup {
	s.Kubelet = config
	return s
}

// installed: a pod that could not pull can pull after install, and no other pod is
// lost. A second run changes nothing. Nothing is left after uninstall.
func installed(ctx context.Context, n *Node) error {
	image := firstRegistry + "/team-a/app:1"
	l, err := n.lives(ctx)
	if err != nil {
		return err
	}
	pid := 0
	return steps(
		func() error { return n.Pod(ctx, "app", image) },
		func() error { return n.Waiting(ctx, "ErrImagePull", "403 Forbidden", "app") },
		func() error {
			out, err := n.InstallBy(ctx, 0, oneRole, "--restart")
			return says(out, err, "platform  generic", "kubelet   1.36 (by /proc/", ", running", "restarting kubelet", "installed ")
		},
		func() error { return n.Ready(ctx, "app") },
		func() error { return n.PulledBy(image, firstSession) },
		func() error { return l.goesOn(ctx, n) },
		func() error {
			return n.timers("ecr-cross-account-refresh.timer", "ecr-cross-account-refresh-boot.timer")
		},
		func() error {
			pid = n.systemd.PID()
			out, err := n.InstallBy(ctx, 0, oneRole, "--restart")
			return says(out, err, "nothing to change")
		},
		func() error {
			out, err := n.Tool(ctx, 2, "uninstall")
			return says(out, err, "add --restart")
		},
		func() error {
			if now := n.systemd.PID(); now != pid {
				return fmt.Errorf("the kubelet's process was %d and is %d, want no restart", pid, now)
			}
			return n.uninstalled(ctx, l)
		},
		func() error { return n.Pod(ctx, "late", firstRegistry+"/team-a/late:1") },
		func() error { return n.Waiting(ctx, "ErrImagePull", "403 Forbidden", "late") },
		func() error { return n.RefusedTo(firstRegistry+"/team-a/late:1", nodeSession) },
	)
}

// uninstalled uninstalls under the running kubelet, and checks that everything is as it
// was before install.
func (n *Node) uninstalled(ctx context.Context, l life) error {
	return steps(
		func() error {
			out, err := n.Tool(ctx, 0, "uninstall", "--restart")
			return says(out, err, "restarting kubelet", "uninstalled")
		},
		l.files.same,
		func() error { return n.timers() },
		func() error { return l.goesOn(ctx, n) },
		func() error { return n.Pulls(ctx, "after", ownRegistry+"/base/after:1", nodeSession) },
	)
}

// timers returns an error unless exactly these timers are active.
func (n *Node) timers(want ...string) error {
	if active := n.systemd.Active(); !slices.Equal(active, want) {
		return fmt.Errorf("the timers %q are active; want %q", active, want)
	}
	return nil
}

// installedInstead: once the timer's unit has run, pulls of pods cause no calls to AWS.
func installedInstead(ctx context.Context, n *Node) error {
	l, err := n.lives(ctx)
	if err != nil {
		return err
	}
	return steps(
		func() error {
			out, err := n.InstallBy(ctx, 0, oneRole+"- accounts: [own]\n", "--instead-of-stock", "--restart")
			return says(out, err, "restarting kubelet")
		},
		func() error {
			out, err := n.Refresh(ctx)
			n.AWS.Forget()
			return says(out, err, "minted "+firstRegistry+" as "+firstRole, ownRegistry+" as the node, fresh until")
		},
		func() error { return n.Pulls(ctx, "first", firstRegistry+"/team-a/app:1", firstSession) },
		func() error { return n.Pulls(ctx, "own", ownRegistry+"/base/java:1", nodeSession) },
		func() error { return n.unasked(fakeaws.STS, fakeaws.ECR, fakeaws.IMDS) },
		func() error { return n.uninstalled(ctx, l) },
	)
}

// installedInDirectory: install writes our entries to a separate file, which the
// kubelet reads first.
func installedInDirectory(ctx context.Context, n *Node) error {
	image := firstRegistry + "/team-a/app:1"
	l, err := n.lives(ctx)
	if err != nil {
		return err
	}
	return steps(
		func() error {
			out, err := n.InstallBy(ctx, 0, oneRole, "--restart")
			return says(out, err, "create  "+providersConfigDir+"/10-ecr-cross-account.yaml")
		},
		func() error {
			out, err := n.Refresh(ctx)
			n.AWS.Forget()
			return says(out, err, "minted "+firstRegistry+" as "+firstRole)
		},
		func() error { return n.Pulls(ctx, "app", image, firstSession) },
		func() error { return n.unasked(fakeaws.STS) }, // the stock provider calls the other services
		func() error {
			if n.RefusedTo(image, nodeSession) == nil {
				return errors.New("the stock provider's token was tried first")
			}
			return n.uninstalled(ctx, l)
		},
	)
}

// upgradedByTool: install runs before the kubelet starts, as when a machine image is
// made. Then it installs several builds while pods start. The second of these runs
// restarts the kubelet.
func upgradedByTool(ctx context.Context, n *Node) error {
	out, err := n.InstallBy(ctx, 0, byRepository, "--kubelet-version=v1.36", "--bin-dir="+providersDir, "--provider-config="+providersConfigPath)
	if err := says(out, err, ", not running", "installed "); err != nil {
		return err
	}
	if err := n.StartKubelet(ctx); err != nil {
		return err
	}
	names, err := n.many(ctx)
	if err != nil {
		return err
	}
	upgrading, ready := context.WithCancel(ctx)
	defer ready()
	var upgrades int
	var upgradeErr error
	var running sync.WaitGroup
	running.Go(func() {
		for upgradeErr == nil && (upgrades < 3 || upgrading.Err() == nil) {
			upgrades++
			upgradeErr = n.upgradeByTool(ctx, upgrades, upgrades == 2)
		}
	})
	err = n.Ready(ctx, names...)
	ready()
	running.Wait()
	return steps(
		func() error { return errors.Join(err, upgradeErr) },
		func() error { return n.Ready(ctx, names...) },
		func() error {
			if lines := n.KubeletLog("Failed to provide credentials"); len(lines) > 0 {
				return fmt.Errorf("a run of the plugin failed: %s", lines[0])
			}
			return errors.Join(n.NoEvent("401 Unauthorized"), n.NoEvent("403 Forbidden"))
		},
		func() error {
			for i := range manyRepositories {
				if err := n.PulledBy(fmt.Sprintf("%s/team-a/app%d:1", firstRegistry, i), firstSession); err != nil {
					return err
				}
			}
			return nil
		},
	)
}

// upgradeByTool installs another build. The build is the plugin with a number appended.
func (n *Node) upgradeByTool(ctx context.Context, number int, restart bool) error {
	plugin, err := os.ReadFile(filepath.Join(binDir, pluginName))
	if err != nil {
		return err
	}
	build := fmt.Sprintf("%s%d", plugin, number)
	path := filepath.Join(nodeDir, "build")
	if err := writeFile(path, build, 0o755); err != nil {
		return err
	}
	texts := []string{"change  " + providersDir + "/" + pluginName}
	if restart {
		texts = append(texts, "restarting kubelet")
	}
	out, err := n.InstallBy(ctx, 0, byRepository, "--plugin="+path, fmt.Sprintf("--restart=%t", restart))
	if err := says(out, err, texts...); err != nil {
		return err
	}
	now, err := os.ReadFile(filepath.Join(providersDir, pluginName))
	if err == nil && string(now) != build {
		err = errors.New("the installed build is not the latest one")
	}
	return err
}
