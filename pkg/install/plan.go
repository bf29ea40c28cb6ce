package install

import (
	"fmt"
	"slices"

	"ecr-cross-account-credential-provider/pkg/config"
)

// plan describes all changes to a node.
type plan struct {
	node    *node
	layout  layout
	before  state
	heading []string
	// plugin is the path of the plugin's binary.
	plugin string
	// first are the changes in their order. last are the changes that must wait until
	// no kubelet uses the former files.
	first, last []change
	// superseded are the records undone by the changes in last. kept are the records of
	// files that stay, although this run does not write them.
	superseded, kept []record
	// duties are the steps that the operator must still do.
	duties []string
	// service is the kubelet's unit, and timers are units to start.
	service string
	timers  []string
	// uninstall says that the plan removes the plugin.
	uninstall bool
	// done is the message at the end.
	done string
}

func (p *plan) changes() bool {
	return slices.ContainsFunc(slices.Concat(p.first, p.last), change.needed)
}

// add plans a file with this content.
func (p *plan) add(path string, o object) error {
	return p.addChange(change{path: path, new: o})
}

func (p *plan) addChange(c change) error {
	var err error
	if c.old, err = p.node.disk.read(c.path); err != nil {
		return err
	}
	if c.old.link != "" && c.new.link == "" {
		return fmt.Errorf("%s is a symbolic link to %s, which install would replace; remove the link, or name its target", p.node.disk.at(c.path), c.old.link)
	}
	r, known := p.before.find(c.path)
	now := c.old.fingerprint()
	switch {
	case known && !c.providers && c.needed() && now != r.Former.Fingerprint && !slices.Contains(r.Ours, now):
		c.note = "somebody changed it since it was installed; install replaces it"
	case c.changesOwner():
		c.note = fmt.Sprintf("it belongs to user %d; install gives it to user %d", c.old.user(), c.new.user())
	}
	p.first = append(p.first, c)
	return nil
}

// addSuperseded plans what happens to files that an earlier run wrote and this run does
// not write. They stay as long as a kubelet may use them. A kubelet may use them if it
// keeps running, or if its flags name one of them.
func (p *plan) addSuperseded(restart bool) error {
	n := p.node
	var others []record
	for _, r := range p.before.Files {
		switch {
		case slices.ContainsFunc(p.first, func(c change) bool { return c.path == r.Path }):
		case r.Path == ConfigPath:
			p.kept = append(p.kept, r)
		default:
			others = append(others, r)
		}
	}
	named := slices.ContainsFunc(others, n.names)
	if len(others) > 0 && (named || n.running && !restart) {
		p.kept = append(p.kept, others...)
		if !named {
			p.duties = append(p.duties, "files of an earlier install, such as "+n.disk.at(others[0].Path)+", stay for the running kubelet; install --restart removes them")
		}
		return nil
	}
	p.superseded = others
	for _, r := range slices.Backward(others) {
		c, err := n.disk.undone(r)
		if err != nil {
			return err
		}
		p.last = append(p.last, c)
	}
	return nil
}

// addDuties adds the steps that the operator must still do.
func (p *plan) addDuties(c config.Config) {
	l, n := p.layout, p.node
	switch {
	case n.flagsFit(l), l.nodeConfig != "" && !n.running:
	case l.nodeConfig != "":
		p.duties = append(p.duties, "reboot this node: nodeadm reads "+l.nodeConfig+" at boot, and sets the kubelet's flags then")
	default:
		p.duties = append(p.duties, fmt.Sprintf("the kubelet needs the flags --%s=%s --%s=%s; %s", configFlag, l.flag, binDirFlag, l.binDir, l.howToSet))
	}
	for _, warning := range c.Warnings {
		p.duties = append(p.duties, "a warning about the configuration: "+warning.String())
	}
}
