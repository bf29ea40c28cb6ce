package install

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"ecr-cross-account-credential-provider/pkg/config"
	"ecr-cross-account-credential-provider/pkg/providerconfig"
)

// plan is what will be done to a node.
type plan struct {
	node    *node
	layout  layout
	before  state
	heading []string
	// plugin is the path of the plugin's binary.
	plugin string
	// first are the changes in their order; last are those that wait until no kubelet
	// runs what was there before.
	first, last []change
	// superseded are the records that last undoes; kept are those of files that stay
	// although this run does not write them.
	superseded, kept []record
	// duties are what the operator must still do.
	duties []string
	// service is the kubelet's unit, and timers are units to start.
	service string
	timers  []string
	// uninstall says that the plan takes the plugin away.
	uninstall bool
	// done is said at the end.
	done string
}

func (p *plan) changes() bool {
	return slices.ContainsFunc(slices.Concat(p.first, p.last), change.needed)
}

// add plans that a file has this content.
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
	p.first = append(p.first, c)
	return nil
}

// addFiles plans all files, in the order in which they have to appear: what the
// kubelet's configuration names, before it; the flag that names the configuration,
// after it.
func (p *plan) addFiles(i *Installer, o Options, configuration []byte, entries []provider, c config.Config) error {
	plugin, err := readFile(o.Plugin)
	if err != nil {
		return fmt.Errorf("reading the plugin: %w; name it by --plugin FILE", err)
	}
	p.plugin = filepath.Join(p.layout.binDir, entries[0].Name)
	err = p.add(p.plugin, object{mode: 0o755, content: plugin})
	for _, e := range entries[1:] {
		err = errors.Join(err, p.add(filepath.Join(p.layout.binDir, e.Name), object{link: entries[0].Name}))
	}
	if configuration != nil {
		err = errors.Join(err, p.add(ConfigPath, object{mode: 0o644, content: configuration}))
	}
	err = errors.Join(err, p.addTool(o), p.addUnits(entries, c), p.addProviders(entries, o.InsteadOfStock))
	if p.layout.nodeConfig != "" {
		err = errors.Join(err, p.add(p.layout.nodeConfig, object{mode: 0o644, content: []byte(nodeConfig(p.layout.flag))}))
	}
	if err == nil {
		p.done = fmt.Sprintf("installed %s; the configuration is %s", i.Version, p.node.disk.at(ConfigPath))
	}
	return err
}

// addTool plans a copy of this program, unless a package has it.
func (p *plan) addTool(o Options) error {
	if p.node.disk.exists(packagedTool) {
		return nil
	}
	tool, err := readFile(o.Tool)
	if err != nil {
		return err
	}
	return p.add(toolPath, object{mode: 0o755, content: tool})
}

// addProviders plans the configuration of the kubelet's providers.
func (p *plan) addProviders(entries []provider, instead bool) error {
	l, d := p.layout, p.node.disk
	now, err := d.read(l.providers)
	if err != nil {
		return err
	}
	base := now.content
	if base == nil && l.base != "" {
		if base, err = d.stockFile(l); err != nil {
			return err
		}
	}
	env := d.stockEnv(l)
	content, err := edit(d.at(l.providers), base, entries, instead, env)
	if err != nil {
		return usage(err)
	}
	mode := now.mode
	if mode == 0 {
		mode = 0o644
	}
	return p.addChange(change{path: l.providers, new: object{mode: mode, content: content}, note: l.owner, providers: true})
}

// stockFile returns the entries that a new file starts with.
func (d disk) stockFile(l layout) ([]byte, error) {
	content, err := readFile(d.at(l.base))
	if err == nil || !l.stock || !errors.Is(err, os.ErrNotExist) {
		return content, err
	}
	doc := newDocument()
	if err := doc.insert([]provider{stockEntry()}); err != nil {
		return nil, err
	}
	return doc.bytes()
}

// stockEnv returns the env of the stock provider on a node of Amazon EKS, whose entry
// may be in another file.
func (d disk) stockEnv(l layout) []providerconfig.Variable {
	if l.binDir != eksDir {
		return nil
	}
	content, err := readFile(d.at(eksDir + "/config.json"))
	if err != nil {
		return nil
	}
	doc, err := parseDocument(content)
	if err != nil {
		return nil
	}
	return doc.env(stockName)
}

// checkKubelet applies the kubelet's own rules to what it will read.
func (p *plan) checkKubelet(entries []provider) error {
	d, l := p.node.disk, p.layout
	files, err := p.kubeletReads()
	if err != nil {
		return err
	}
	c, problems := providerconfig.Parse(files, p.node.version)
	for _, entry := range c.Providers {
		path := filepath.Join(l.binDir, entry.Name)
		ours := slices.ContainsFunc(entries, func(e provider) bool { return e.Name == entry.Name })
		if info, err := os.Stat(d.at(path)); !ours && (err != nil || info.Mode()&0o111 == 0) {
			problems = append(problems, fmt.Errorf("%s, the binary of provider %s, is not there or not executable", d.at(path), entry.Name))
		}
	}
	if len(problems) > 0 {
		return fmt.Errorf("the kubelet would not start, so nothing was changed: %w", errors.Join(problems...))
	}
	return nil
}

// kubeletReads returns the files that the flag names, with the planned content.
func (p *plan) kubeletReads() (files []providerconfig.File, err error) {
	d, l := p.node.disk, p.layout
	planned := p.first[slices.IndexFunc(p.first, func(c change) bool { return c.path == l.providers })]
	ours := providerconfig.File{Path: d.at(l.providers), Content: planned.new.content}
	if l.flag == l.providers {
		return []providerconfig.File{ours}, nil
	}
	names, err := os.ReadDir(d.at(l.flag))
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, err
	}
	files = append(files, ours)
	for _, name := range names {
		path := d.at(filepath.Join(l.flag, name.Name()))
		if name.IsDir() || path == ours.Path || !slices.Contains([]string{".json", ".yaml", ".yml"}, filepath.Ext(path)) {
			continue
		}
		content, err := readFile(path)
		if err != nil {
			return nil, err
		}
		files = append(files, providerconfig.File{Path: path, Content: content})
	}
	slices.SortFunc(files, func(a, b providerconfig.File) int { return strings.Compare(a.Path, b.Path) })
	return files, nil
}

// addSuperseded plans what becomes of files that an earlier run wrote and this one
// does not. A file that the running kubelet's flags name stays until they change.
func (p *plan) addSuperseded() error {
	n := p.node
	for _, r := range slices.Backward(p.before.Files) {
		planned := slices.ContainsFunc(p.first, func(c change) bool { return c.path == r.Path })
		switch {
		case planned:
		case r.Path == ConfigPath, n.running && n.flags.config == r.Path:
			p.kept = append(p.kept, r)
		default:
			c, err := n.disk.undone(r)
			if err != nil {
				return err
			}
			p.superseded, p.last = append(p.superseded, r), append(p.last, c)
		}
	}
	return nil
}

// addDuties says what is left to the operator.
func (p *plan) addDuties(c config.Config) {
	l, n := p.layout, p.node
	switch {
	case n.flagsFit(l), l.nodeConfig != "" && !n.running:
	case l.nodeConfig != "":
		p.duties = append(p.duties, "reboot this node: nodeadm reads "+l.nodeConfig+" at its boot, and sets the kubelet's flags then")
	default:
		p.duties = append(p.duties, fmt.Sprintf("the kubelet needs the flags --%s=%s --%s=%s; %s", configFlag, l.flag, binDirFlag, l.binDir, l.howToSet))
	}
	for _, warning := range c.Warnings {
		p.duties = append(p.duties, "a warning of the configuration: "+warning.String())
	}
}

// flagsFit reports whether the kubelet has the flags that it needs, or uses the paths
// without flags.
func (n *node) flagsFit(l layout) bool {
	if n.flags.config == l.flag && n.flags.binDir == l.binDir {
		return true
	}
	byDefault := n.platform.name == "k3s" || n.platform.name == "rke2" || n.platform.name == "eks-al2"
	return byDefault && n.flags == kubeletFlags{}
}

// checkRestart refuses a restart that would not make the kubelet run the plugin.
func (p *plan) checkRestart(restart bool) error {
	switch {
	case !restart:
		return nil
	case p.service == "":
		return usage(errors.New("--restart needs systemd on this machine; install without it, and restart the kubelet by hand"))
	case !p.node.flagsFit(p.layout):
		return usage(fmt.Errorf("--restart is not enough here: %s; install without --restart", strings.Join(p.duties, "; ")))
	}
	return nil
}

// nodeConfig is a drop-in for nodeadm that adds the kubelet's flag.
func nodeConfig(flag string) string {
	var b bytes.Buffer
	b.WriteString("# Written by ecr-cross-account install.\napiVersion: node.eks.aws/v1alpha1\nkind: NodeConfig\nspec:\n  kubelet:\n    flags:\n")
	fmt.Fprintf(&b, "    - --%s=%s\n", configFlag, flag)
	return b.String()
}
