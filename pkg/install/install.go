// Package install puts the plugin on a node, and removes it again. At every moment, the
// kubelet can start with the files that are there: install writes binaries before the
// kubelet's configuration of providers.
package install

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"

	"ecr-cross-account-credential-provider/pkg/config"
	"ecr-cross-account-credential-provider/pkg/procfs"
)

// These paths are the same on every node.
const (
	EtcDir     = "/etc/" + pluginName
	ConfigPath = EtcDir + "/config.yaml"
	toolPath   = "/usr/local/bin/ecr-cross-account"
	pluginLink = "/usr/local/bin/" + pluginName
	// packagedTool is a package's copy of the tool. If it exists, install makes no
	// copy.
	packagedTool = "/usr/bin/ecr-cross-account"
	// cacheDir is the default directory of the cache.
	cacheDir = "/run/" + pluginName
)

// Installer works on one node. Root, Execute and Out are required.
type Installer struct {
	// Root is the root directory of the node: "/" for this machine.
	Root string
	// Version is this program's version.
	Version string
	// Proc is /proc of the node. Empty means that no kubelet can be running there.
	Proc procfs.FS
	// Services controls the node's services, or is nil if nothing does.
	Services Services
	// Execute runs a program and returns what it prints.
	Execute func(ctx context.Context, path string, args ...string) (string, error)
	// Health asks a running kubelet whether it is healthy.
	Health func(ctx context.Context) error
	// Out receives the text for the operator.
	Out io.Writer

	before func(operation, path string) // see disk
}

// Options are the options of the command line.
type Options struct {
	// Config is the configuration's file. Empty means the one that the node has.
	Config string
	// Plugin and Tool are the programs' files. If Plugin is empty, the plugin of an
	// earlier run is used.
	Plugin, Tool string
	// Platform is a platform's name. If it is empty or auto, install finds out the
	// platform.
	Platform       string
	KubeletVersion string
	// BinDir and ProviderConfig are the kubelet's paths. Both are set, or neither.
	BinDir, ProviderConfig string
	// InsteadOfStock removes the stock provider's entry.
	InsteadOfStock bool
	// Restart restarts the kubelet if anything changed.
	Restart bool
	// PlanOnly stops after the plan.
	PlanOnly bool
}

// UsageError is an error whose cause is the command line, the configuration or the
// node. Nothing was changed.
type UsageError struct{ err error }

// Error returns the error's text.
func (e UsageError) Error() string { return e.err.Error() }

// Unwrap returns the cause.
func (e UsageError) Unwrap() error { return e.err }

func usage(err error) error {
	if err == nil {
		return nil
	}
	return UsageError{err}
}

func (i *Installer) disk() disk { return disk{root: i.Root, before: i.before} }

// Install installs or updates the plugin. It prints its plan first.
func (i *Installer) Install(ctx context.Context, o Options) error {
	unlock, err := i.start(o.PlanOnly)
	if err != nil {
		return err
	}
	defer unlock()
	p, err := i.planInstall(ctx, o)
	if err != nil {
		return err
	}
	if err := p.print(i.Out); err != nil || o.PlanOnly {
		return err
	}
	return i.apply(ctx, p, o.Restart)
}

// start checks that there is a node, and locks it. A plan needs no lock.
func (i *Installer) start(planOnly bool) (unlock func(), err error) {
	switch {
	case !i.disk().isDir("/"):
		return nil, usage(fmt.Errorf("--root %s is not a directory", i.Root))
	case planOnly:
		return func() {}, nil
	}
	return i.lock()
}

// planInstall makes all decisions, and changes nothing.
func (i *Installer) planInstall(ctx context.Context, o Options) (*plan, error) {
	d := i.disk()
	c, configuration, err := d.configuration(o)
	if err != nil {
		return nil, usage(err)
	}
	before, err := d.readState()
	if err != nil {
		return nil, err
	}
	n, err := i.look(ctx, o)
	if err != nil {
		return nil, err
	}
	n.earlier = kubeletFlags{before.ProviderConfig, before.BinDir}
	before.Pending = before.Pending && !n.startedSince(stateFile)
	if o.Plugin == "" {
		installed, ok := d.plugin(before)
		if !ok {
			return nil, usage(errors.New("no plugin is beside this program, and none is installed; name it with --plugin FILE"))
		}
		o.Plugin = d.at(installed)
	}
	entries, err := providersFor(c, n.version, o.InsteadOfStock)
	if err != nil {
		return nil, usage(err)
	}
	l, err := n.platform.layout(n, o)
	if err != nil {
		return nil, usage(err)
	}
	p := &plan{node: n, layout: l, before: before, heading: i.heading(n, o)}
	p.service = i.service(ctx, n)
	if err := p.addFiles(i, o, configuration, entries, c); err != nil {
		return nil, err
	}
	if err := p.checkKubelet(entries); err != nil {
		return nil, usage(err)
	}
	if err := p.addSuperseded(o.Restart); err != nil {
		return nil, err
	}
	p.addDuties(c)
	i.compareVersions(ctx, p, o)
	return p, p.checkRestart(o.Restart)
}

// configuration loads and checks the configuration, and returns its text. The text is
// nil if the file is already in its place.
func (d disk) configuration(o Options) (config.Config, []byte, error) {
	path := o.Config
	if path == "" {
		path = d.at(ConfigPath)
	}
	inPlace := sameFile(path, d.at(ConfigPath))
	c, err := config.Source{Path: path, AnyOwner: !inPlace}.Load(nil)
	if err != nil {
		if o.Config == "" && !d.exists(ConfigPath) {
			err = errors.New("no configuration; name it with --config FILE")
		}
		return c, nil, err
	}
	if inPlace {
		return c, nil, nil
	}
	content, err := readFile(path)
	return c, content, err
}

// sameFile reports whether two paths are the same file.
func sameFile(path, other string) bool {
	if filepath.Clean(path) == filepath.Clean(other) {
		return true
	}
	a, err := os.Stat(path)
	if err != nil {
		return false
	}
	b, err := os.Stat(other)
	return err == nil && os.SameFile(a, b)
}

// service returns the kubelet's unit: the one that runs, else the one that systemd starts
// at boot, else the one that exists, else the platform's first one. It is empty if nothing
// controls services, or if the platform has no such unit. The order matters: RKE2 installs
// two units, and the start of one stops the other.
func (i *Installer) service(ctx context.Context, n *node) string {
	services := n.platform.services
	switch {
	case i.Services == nil || len(services) == 0:
		return ""
	case len(services) == 1:
		return services[0]
	}
	for _, is := range []func(name string) bool{
		func(name string) bool {
			status, err := i.Services.Status(ctx, name)
			return err == nil && !slices.Contains([]string{"", "inactive", "failed"}, status.State)
		},
		func(name string) bool {
			return n.disk.exists(unitDir + "/multi-user.target.wants/" + name + ".service")
		},
		func(name string) bool { return n.disk.exists(n.disk.unitFiles(name)...) },
	} {
		if at := slices.IndexFunc(services, is); at >= 0 {
			return services[at]
		}
	}
	return services[0]
}

// say prints a line for the operator.
func (i *Installer) say(format string, args ...any) error {
	_, err := fmt.Fprintf(i.Out, format+"\n", args...)
	return err
}
