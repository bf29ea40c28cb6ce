package install

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"ecr-cross-account-credential-provider/pkg/config"
	"ecr-cross-account-credential-provider/pkg/providerconfig"
)

// addFiles plans all files, in the order in which they must be written. The first are
// the files that the kubelet's configuration of providers names. Then comes that
// configuration. The drop-in with the flag that names it comes last.
func (p *plan) addFiles(i *Installer, o Options, configuration []byte, entries []provider, c config.Config) error {
	plugin, err := readFile(o.Plugin)
	if err != nil {
		return fmt.Errorf("reading the plugin: %w; name it with --plugin FILE", err)
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

// addTool plans a copy of this program, and a link to the plugin in the PATH of shells.
// It plans nothing if a package has both.
func (p *plan) addTool(o Options) error {
	if p.node.disk.exists(packagedTool) {
		return nil
	}
	if p.plugin != pluginLink {
		if err := p.add(pluginLink, object{link: p.plugin}); err != nil {
			return err
		}
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
	base, err := p.base(now)
	if err != nil {
		return err
	}
	env, err := p.ownEnv()
	if err != nil {
		return err
	}
	content, err := edit(d.at(l.providers), base, withEnv(entries, env), instead, d.stockEnv(l))
	if err != nil {
		return usage(err)
	}
	mode := now.mode
	if mode == 0 {
		mode = 0o644
	}
	return p.addChange(change{path: l.providers, new: object{mode: mode, content: content, owner: now.owner}, providers: true})
}

// base returns the text to which the entries are added. now is the file as it is. If it
// is as install wrote it, or has no entries but ours, the text is the one from before
// install. That text also has the entries that earlier runs removed, such as the stock
// provider's.
func (p *plan) base(now object) ([]byte, error) {
	l, d := p.layout, p.node.disk
	base := now.content
	r, known := p.before.find(l.providers)
	ours := known && slices.Contains(r.Ours, now.fingerprint())
	if known && !ours && !now.absent() { // somebody may have changed only our entries
		theirs, err := withoutOurs(now)
		if err != nil {
			return nil, usage(fmt.Errorf("%s: %w", d.at(l.providers), err))
		}
		ours = !hasEntries(theirs)
	}
	if ours {
		former, err := d.restored(r.Former)
		if err != nil {
			return nil, err
		}
		base = former.content
	}
	if base == nil && l.base != "" {
		return d.stockFile(l)
	}
	return base, nil
}

// ownEnv returns the env of our entries in the latest file of earlier runs. The operator
// may have set it.
func (p *plan) ownEnv() ([]providerconfig.Variable, error) {
	d := p.node.disk
	for _, r := range slices.Backward(p.before.Files) {
		if !r.Providers {
			continue
		}
		now, err := d.read(r.Path)
		if err != nil {
			return nil, err
		}
		if now.mode == 0 {
			continue
		}
		doc, err := parseDocument(now.content)
		if err != nil {
			return nil, usage(fmt.Errorf("%s: %w", d.at(r.Path), err))
		}
		if doc.has(ourNames...) {
			return doc.env(ourNames...), nil
		}
	}
	return nil, nil
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

// stockEnv returns the env of the stock provider on a node of Amazon EKS. That
// provider's entry may be in another file.
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

// nodeConfig is a drop-in for nodeadm that adds the kubelet's flag.
func nodeConfig(flag string) string {
	return "# Written by ecr-cross-account install.\n" +
		"apiVersion: node.eks.aws/v1alpha1\nkind: NodeConfig\nspec:\n  kubelet:\n    flags:\n" +
		fmt.Sprintf("    - --%s=%s\n", configFlag, flag)
}
