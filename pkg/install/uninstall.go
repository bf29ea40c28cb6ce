package install

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"ecr-cross-account-credential-provider/pkg/config"
	"ecr-cross-account-credential-provider/pkg/providerconfig"
)

// Uninstall restores the files from before the first install. It prints its plan first.
func (i *Installer) Uninstall(ctx context.Context, o Options) error {
	unlock, err := i.start(o.PlanOnly)
	if err != nil {
		return err
	}
	defer unlock()
	p, err := i.planUninstall(ctx, o)
	if err != nil {
		return err
	}
	if err := p.print(i.Out); err != nil || o.PlanOnly {
		return err
	}
	return i.apply(ctx, p, o.Restart)
}

// planUninstall plans the changes in reverse order. It first removes what makes the
// kubelet run the plugin. The rest follows when no kubelet runs the plugin.
func (i *Installer) planUninstall(ctx context.Context, o Options) (*plan, error) {
	n := &node{disk: i.disk()}
	before, err := n.disk.readState()
	if err != nil {
		return nil, err
	}
	if len(before.Files) == 0 && !n.disk.exists(StateDir) {
		return nil, usage(fmt.Errorf("%s: not found; install has not run here", n.disk.at(stateFile)))
	}
	process, running, err := i.kubelet()
	if err != nil {
		return nil, fmt.Errorf("looking for a running kubelet: %w", err)
	}
	if n.platform, err = n.disk.platformOf(before.Platform); err != nil {
		return nil, err
	}
	n.running = running
	n.findFlags(process)
	p := &plan{node: n, before: before, uninstall: true, service: i.service(ctx, n), done: "uninstalled"}
	p.heading = []string{"platform  " + before.Platform, "kubelet   " + runningText(running)}
	for _, r := range slices.Backward(before.Files) {
		c, err := p.takeAway(r)
		if err != nil {
			return nil, err
		}
		if r.Providers || c.path == nodeConfigPath {
			p.first = append(p.first, c)
		} else {
			p.last = append(p.last, c)
		}
	}
	p.addCache()
	return p, usage(p.checkLeaving(o.Restart))
}

// addCache adds a duty if the operator chose the cache's directory. Such a directory
// may hold other files.
func (p *plan) addCache() {
	d := p.node.disk
	c, err := config.Source{Path: d.at(ConfigPath), AnyOwner: true}.Load(nil)
	if err == nil && c.Cache.Directory != "" && c.Cache.Directory != cacheDir && d.exists(c.Cache.Directory) {
		p.duties = append(p.duties, "remove the cache, "+c.Cache.Directory+", which the configuration names")
	}
}

// takeAway plans the change of one file. While the kubelet's flags name the file, it
// stays and keeps its other entries. takeAway refuses if no other entry would be left.
func (p *plan) takeAway(r record) (change, error) {
	n := p.node
	c, err := n.disk.undone(r)
	if err != nil || !c.new.absent() || c.old.absent() || !n.names(r) {
		return c, err
	}
	refusal := usage(fmt.Errorf("the kubelet's flag --%s names %s, which would have no entries left; remove the flag, restart the kubelet, and run uninstall again", configFlag, n.flags.config))
	if n.flags.config != r.Path { // the flag names the directory
		files, err := providerconfig.FilesIn(n.disk.at(n.flags.config))
		if err == nil && len(files) == 1 {
			err = refusal
		}
		return c, err
	}
	if c.new, err = withoutOurs(c.old); err != nil {
		return c, err
	}
	content := providerconfig.File{Path: n.disk.at(r.Path), Content: c.new.content}
	if _, problems := providerconfig.Parse([]providerconfig.File{content}, providerconfig.Version{}); len(problems) > 0 {
		return c, refusal
	}
	c.note = "the kubelet's flag still names it, so it stays without our entries; reboot, and run uninstall again to remove it"
	p.kept = append(p.kept, record{Path: r.Path, Providers: true, Former: r.Former, Ours: []string{c.new.fingerprint()}})
	return c, nil
}

// checkLeaving refuses to remove binaries that a running kubelet would continue to run.
func (p *plan) checkLeaving(restart bool) error {
	switch {
	case restart && p.service == "":
		return errors.New("--restart needs systemd on this machine; stop the kubelet by hand instead")
	case !restart && p.node.running && p.loaded():
		return errors.New("the running kubelet goes on running the plugin until it is restarted; add --restart, or stop the kubelet first")
	}
	return nil
}

// loaded reports whether the running kubelet has read a file that has our entries.
func (p *plan) loaded() bool {
	return slices.ContainsFunc(p.before.Files, func(r record) bool {
		return r.Providers && p.node.flags.config == "" || p.node.names(r)
	})
}

func runningText(running bool) string {
	if running {
		return "running"
	}
	return "not running"
}
