package install

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"ecr-cross-account-credential-provider/pkg/providerconfig"
)

// checkKubelet applies the kubelet's own rules to the files that it will read.
func (p *plan) checkKubelet(entries []provider) error {
	d, l := p.node.disk, p.layout
	files, err := p.kubeletReads()
	if err != nil {
		return err
	}
	if err := p.checkOthers(files); err != nil {
		return err
	}
	c, problems := providerconfig.Parse(files, p.node.version)
	for _, entry := range c.Providers {
		path := filepath.Join(l.binDir, entry.Name)
		ours := slices.ContainsFunc(entries, func(e provider) bool { return e.Name == entry.Name })
		if info, err := os.Stat(d.at(path)); !ours && (err != nil || info.Mode()&0o111 == 0) {
			problems = append(problems, fmt.Errorf("%s, the binary of provider %s, is missing or not executable", d.at(path), entry.Name))
		}
	}
	if len(problems) > 0 {
		return fmt.Errorf("the kubelet would not start, so nothing was changed: %w", errors.Join(problems...))
	}
	return nil
}

// checkOthers refuses other files that have an entry for the plugin. It adds a duty if
// the kubelet asks the stock provider before ours.
func (p *plan) checkOthers(files []providerconfig.File) error {
	before := true
	for _, file := range files {
		if file.Path == p.node.disk.at(p.layout.providers) {
			before = false
			continue
		}
		c, _ := providerconfig.Parse([]providerconfig.File{file}, p.node.version) // checkKubelet reports the problems
		for _, entry := range c.Providers {
			switch {
			case slices.Contains(ourNames, entry.Name) || entry.IsPlugin(providerconfig.Programs{}):
				return fmt.Errorf("%s has the entry %s for this plugin; remove the entry or the file, and run install again", file.Path, entry.Name)
			case before && entry.Name == stockName:
				p.duties = append(p.duties, fmt.Sprintf("the kubelet asks %s first, because of the name of %s; rename it so that it comes after %s",
					stockName, file.Path, filepath.Base(p.layout.providers)))
			}
		}
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
	paths, err := providerconfig.FilesIn(d.at(l.flag))
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, err
	}
	files = append(files, ours)
	for _, path := range paths {
		if path == ours.Path {
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

// names reports whether the kubelet's flags name a file of providers, or its directory.
func (n *node) names(r record) bool {
	flag := n.flags.config
	return r.Providers && (flag == r.Path || flag == filepath.Dir(r.Path))
}

// flagsFit reports whether the kubelet has the required flags, or uses the same paths
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
