package main

import (
	"bytes"
	"embed"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/goreleaser/nfpm/v2"
	"github.com/goreleaser/nfpm/v2/deb"
	"github.com/goreleaser/nfpm/v2/rpm"
)

//go:embed scripts
var scripts embed.FS

// writePackages writes a package for Debian and one for Red Hat.
func (r *release) writePackages(p platform, plugin, tool program, documents []file) error {
	for _, format := range []struct {
		packager nfpm.Packager
		layout   layout
	}{{deb.Default, debian}, {rpm.DefaultRPM, redHat}} {
		contents, err := format.layout.place(plugin, tool, documents)
		if err != nil {
			return err
		}
		packed, name, err := r.packed(p, format.packager, contents)
		if err != nil {
			return err
		}
		if err := r.add(file{name: name, content: packed, mode: 0o644}, plugin, tool); err != nil {
			return err
		}
	}
	return nil
}

// packed returns a package, and the name of its file.
func (r *release) packed(p platform, packager nfpm.Packager, contents []content) ([]byte, string, error) {
	dir, err := os.MkdirTemp("", "package")
	if err != nil {
		return nil, "", err
	}
	defer os.RemoveAll(dir) //nolint:errcheck // a temporary directory
	info := r.info(p)
	if info.Scripts, err = writeScripts(dir); err != nil {
		return nil, "", err
	}
	for i, c := range contents {
		entry, err := c.entry(filepath.Join(dir, fmt.Sprint(i)), r.source)
		if err != nil {
			return nil, "", err
		}
		info.Contents = append(info.Contents, entry)
	}
	info = nfpm.WithDefaults(info)
	var b bytes.Buffer
	name := packager.ConventionalFileName(info)
	err = packager.Package(info, &b)
	return b.Bytes(), name, err
}

// info returns the description of a package.
func (r *release) info(p platform) *nfpm.Info {
	return &nfpm.Info{
		Name: pluginName, Arch: p.architecture, Platform: p.system, Version: r.source.version, Release: "1",
		Section: "admin", Priority: "optional", License: "Apache-2.0",
		Maintainer: "The authors of " + pluginName + " <noreply@localhost>",
		Description: "Kubelet plugin for images in Amazon ECR registries of other accounts\n" +
			"The kubelet runs the plugin for images in Amazon ECR. The plugin assumes a role in the account of the images. " +
			"The program ecr-cross-account sets it up and checks it.",
		MTime: r.source.date, DisableGlobbing: true,
		Overridables: nfpm.Overridables{
			Recommends: []string{"ca-certificates"},
			RPM:        nfpm.RPM{BuildHost: "localhost"},
		},
	}
}

// writeScripts writes the maintainers' scripts, which both formats share.
func writeScripts(dir string) (nfpm.Scripts, error) {
	text, err := fs.Sub(scripts, "scripts")
	if err == nil {
		err = os.CopyFS(filepath.Join(dir, "scripts"), text)
	}
	path := func(name string) string { return filepath.Join(dir, "scripts", name) }
	return nfpm.Scripts{PostInstall: path("postinstall"), PreRemove: path("preremove"), PostRemove: path("postremove")}, err
}
