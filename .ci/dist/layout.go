package main

import (
	"bytes"
	"os"
	"path"
	"slices"
	"strings"

	"github.com/goreleaser/nfpm/v2/files"
)

// These are the paths of a package's files. The plugin is in libexec, and a link in
// /usr/bin leads to it.
const (
	pluginPath  = "/usr/libexec/" + pluginName
	etcDir      = "/etc/" + pluginName
	docDir      = "/usr/share/doc/" + pluginName
	systemdDir  = "/usr/lib/systemd/system/"
	manPages    = "/usr/share/man/man1/"
	bashDir     = "/usr/share/bash-completion/completions/"
	unitPlugin  = "/usr/local/bin/" + pluginName // in the repository's units
	directories = 0o755
)

// layout holds the paths that differ between distributions.
type layout struct {
	zshDir  string
	license string
}

var (
	debian = layout{"/usr/share/zsh/vendor-completions/", docDir + "/copyright"}
	redHat = layout{"/usr/share/zsh/site-functions/", "/usr/share/licenses/" + pluginName + "/LICENSE"}
)

// content is a file or a directory of a package, with its path.
type content struct {
	file
	dir bool
}

// place returns the contents of a package. A package has no configuration, because any
// configuration would change what the plugin does.
func (l layout) place(plugin, tool program, documents []file) ([]content, error) {
	at := func(name string, f file) content { return content{file: file{name, f.content, f.mode, ""}} }
	link := func(name, target string) content { return content{file: file{name: name, link: target}} }
	all := []content{
		{file{name: etcDir}, true},
		at(pluginPath, plugin.file),
		link("/usr/bin/"+pluginName, "../libexec/"+pluginName),
		at("/usr/bin/"+toolName, tool.file),
		link(bashDir+pluginName, toolName),
	}
	for _, d := range documents {
		switch {
		case strings.HasPrefix(d.name, manDir):
			compressed, err := gzipped(d.content)
			if err != nil {
				return nil, err
			}
			all = append(all, content{file: file{manPages + d.base() + ".gz", compressed, d.mode, ""}})
		case d.name == bashCompletion:
			all = append(all, at(bashDir+toolName, d))
		case d.name == zshCompletion:
			all = append(all, at(l.zshDir+d.base(), d))
		case d.name == "LICENSE":
			all = append(all, at(l.license, d))
		case strings.HasPrefix(d.name, unitDir):
			d.content = bytes.ReplaceAll(d.content, []byte(unitPlugin), []byte(pluginPath))
			all = append(all, at(systemdDir+d.base(), d))
		default:
			all = append(all, at(docDir+"/"+d.name, d))
		}
	}
	return append(all, ownDirs(all)...), nil
}

// ownDirs returns the directories of the documents. No other package has them.
func ownDirs(all []content) (dirs []content) {
	var names []string
	for _, c := range all {
		for dir := path.Dir(c.name); strings.Contains(dir, "/"+pluginName); dir = path.Dir(dir) {
			names = append(names, dir)
		}
	}
	slices.Sort(names)
	for _, name := range slices.Compact(names) {
		dirs = append(dirs, content{file{name: name}, true})
	}
	return dirs
}

// entry returns the file for nfpm, which reads it from a path.
func (c content) entry(from string, s source) (*files.Content, error) {
	entry := &files.Content{Source: from, Destination: c.name, Type: files.TypeFile, FileInfo: &files.ContentFileInfo{
		Owner: "root", Group: "root", Mode: c.mode, MTime: s.date, Size: int64(len(c.content)),
	}}
	switch {
	case c.dir:
		entry.Type, entry.Source, entry.FileInfo.Mode = files.TypeDir, "", directories
		return entry, nil
	case c.link != "":
		entry.Type, entry.Source, entry.FileInfo.Mode = files.TypeSymlink, c.link, 0o777
		return entry, nil
	}
	return entry, os.WriteFile(from, c.content, 0o600)
}
