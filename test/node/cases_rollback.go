package main

import (
	"context"
	"errors"
	"os"
	"path/filepath"
)

// rolledBack: just before the kubelet looks at the plugin, something on the node makes
// its file not executable. A security policy could do that.
func rolledBack(ctx context.Context, n *Node) error {
	l, err := n.lives(ctx)
	if err != nil {
		return err
	}
	n.systemd.BeforeStart(func() error {
		if err := os.Chmod(filepath.Join(providersDir, pluginName), 0o644); !errors.Is(err, os.ErrNotExist) {
			return err
		}
		return nil
	})
	return steps(
		func() error {
			out, err := n.InstallBy(ctx, 1, oneRole, "--restart")
			return says(out, err, "kubelet is not healthy after the change: it ended after its start", "Failed to register CRI auth plugins",
				"error inspecting binary executable", "permission denied", "the former files are back, and kubelet is healthy again")
		},
		l.files.same,
		func() error { return n.timers() },
		func() error { return l.goesOn(ctx, n) },
		func() error { return n.Pulls(ctx, "after", ownRegistry+"/base/after:1", nodeSession) },
	)
}

// brokenBefore: somebody broke the kubelet's own configuration before install, and only
// a restart shows it. After install, the files and the pods are the same as before.
func brokenBefore(ctx context.Context, n *Node) error {
	l, err := n.lives(ctx)
	if err != nil {
		return err
	}
	config, err := os.ReadFile(kubeletConfigPath)
	if err != nil {
		return err
	}
	return steps(
		func() error { return writeFile(kubeletConfigPath, string(config)+"maxPods: -1\n", 0o644) },
		func() error {
			out, err := n.InstallBy(ctx, 1, oneRole, "--restart")
			return says(out, err, "kubelet is not healthy after the change: it ended after its start", "maxPods",
				"the former files are back, but kubelet is still not healthy")
		},
		func() error { return writeFile(kubeletConfigPath, string(config), 0o644) },
		l.files.same,
		func() error { return n.timers() },
		func() error { return n.Systemctl(ctx, "reset-failed", kubeletUnit) },
		func() error { return n.Systemctl(ctx, "restart", kubeletUnit) },
		func() error { return n.Healthy(ctx) },
		func() error { return l.goesOn(ctx, n) },
		func() error { return n.Pulls(ctx, "after", ownRegistry+"/base/after:1", nodeSession) },
	)
}

// ofAnotherUnit: the running kubelet does not belong to systemd's unit. If a restart of
// that unit failed, install would blame the plugin. So it refuses, and changes nothing.
func ofAnotherUnit(ctx context.Context, n *Node) error {
	return steps(
		n.configureKubelet,
		func() (err error) { n.kubelet, err = n.launchKubelet(); return err },
		func() error { return n.Healthy(ctx) },
		func() error { return n.refuses(ctx, "systemd's unit kubelet does not run", "without --restart") },
	)
}

// healthElsewhere: the kubelet's health is served at another port. install would wait
// for it in vain, and then undo its work. So it refuses, and changes nothing.
func healthElsewhere(ctx context.Context, n *Node) error {
	return steps(
		n.startKubelet,
		func() error { return n.Pod(ctx, "app", ownRegistry+"/base/app:1") },
		func() error { return n.Ready(ctx, "app") },
		func() error { return n.refuses(ctx, "before any change", "127.0.0.1:10248", "without --restart") },
	)
}

// refuses returns an error unless install --restart refuses, and changes nothing.
func (n *Node) refuses(ctx context.Context, texts ...string) error {
	before, err := takeSnapshot()
	if err != nil {
		return err
	}
	out, err := n.InstallBy(ctx, 2, oneRole, "--restart")
	if err := says(out, err, texts...); err != nil {
		return err
	}
	return before.same()
}
