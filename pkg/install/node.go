package install

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"ecr-cross-account-credential-provider/pkg/printable"

	"ecr-cross-account-credential-provider/pkg/procfs"
	"ecr-cross-account-credential-provider/pkg/providerconfig"
)

// These are the two flags that make a kubelet run providers.
const (
	configFlag = "image-credential-provider-config"
	binDirFlag = "image-credential-provider-bin-dir"
)

// kubeletPrograms are the paths of programs that are a kubelet or contain one.
var kubeletPrograms = map[string][]string{
	"k3s":  {"/usr/local/bin/k3s", "/usr/bin/k3s", "/opt/bin/k3s"},
	"rke2": {"/usr/local/bin/rke2", "/usr/bin/rke2", "/opt/rke2/bin/rke2"},
	"":     {"/usr/bin/kubelet", "/usr/local/bin/kubelet", "/opt/bin/kubelet"},
}

// look finds out what kind of node this is, and the facts about its kubelet.
func (i *Installer) look(ctx context.Context, o Options) (*node, error) {
	n := &node{disk: i.disk()}
	var err error
	if n.platform, err = n.disk.platformOf(o.Platform); err != nil {
		return nil, usage(err)
	}
	if n.platform.refusal != "" {
		return nil, usage(fmt.Errorf("install does not work on %s: %s", n.platform.name, n.platform.refusal))
	}
	process, running, err := i.kubelet()
	if err != nil {
		return nil, fmt.Errorf("looking for a running kubelet: %w", err)
	}
	n.running = running
	if running {
		n.started, _ = process.Started() // on an error, the files may be newer than the kubelet
	}
	n.findFlags(process)
	if err := i.findVersion(ctx, n, o, process); err != nil {
		return nil, usage(err)
	}
	n.environ, err = n.kubeletEnviron(process)
	return n, err
}

// startedSince reports whether the running kubelet was started after a file was written.
func (n *node) startedSince(path string) bool {
	info, err := os.Stat(n.disk.at(path))
	return err == nil && n.started.After(info.ModTime())
}

// findFlags finds the flags of the running kubelet, or those of the next one. A
// running k3s or RKE2 may also have flags in files.
func (n *node) findFlags(process procfs.Process) {
	if n.running {
		n.flags.config, _ = process.KubeletFlag(configFlag)
		n.flags.binDir, _ = process.KubeletFlag(binDirFlag)
	}
	if !n.running || process.HasKubelet() {
		inFiles := n.disk.flagsOf(n.platform)
		n.flags.config = cmp.Or(n.flags.config, inFiles.config)
		n.flags.binDir = cmp.Or(n.flags.binDir, inFiles.binDir)
	}
	for _, path := range []*string{&n.flags.config, &n.flags.binDir} {
		if *path != "" {
			*path = filepath.Clean(*path)
		}
	}
}

// kubelet returns the running kubelet, if this machine is the node.
func (i *Installer) kubelet() (procfs.Process, bool, error) {
	if i.Proc == "" {
		return procfs.Process{}, false, nil
	}
	return i.Proc.FindKubelet()
}

// findVersion finds the version of the kubelet that starts next.
func (i *Installer) findVersion(ctx context.Context, n *node, o Options, process procfs.Process) (err error) {
	if o.KubeletVersion != "" {
		n.versionFrom = "by --kubelet-version"
		if n.version, err = providerconfig.ParseVersion("v" + strings.TrimPrefix(o.KubeletVersion, "v")); err != nil {
			return fmt.Errorf("--kubelet-version %q is not a version such as v1.34", printable.Short(o.KubeletVersion))
		}
		return served(n.version)
	}
	programs := kubeletPrograms[n.platform.name]
	if programs == nil {
		programs = kubeletPrograms[""]
	}
	var paths []string
	for _, path := range programs {
		if n.disk.exists(path) {
			paths = append(paths, n.disk.at(path))
		}
	}
	if n.running {
		paths = append(paths, process.Path("exe"))
	}
	err = fmt.Errorf("no kubelet at %s below %s", strings.Join(programs, ", "), n.disk.root)
	for _, path := range paths {
		var out string
		if out, err = i.Execute(ctx, path, "--version"); err == nil {
			if n.version, err = providerconfig.ParseVersion(out); err == nil {
				n.versionFrom = "by " + path
				return served(n.version)
			}
		}
		err = fmt.Errorf("%s --version: %w", path, err)
	}
	return fmt.Errorf("the kubelet's version is not known: %w; name it with --kubelet-version", err)
}

// served returns an error for a kubelet whose protocol this plugin does not support.
func served(v providerconfig.Version) error {
	if !v.Served() {
		return fmt.Errorf("the kubelet is %s, and the plugin needs 1.29 or later", v)
	}
	return nil
}

// flagPattern matches a flag, or a key of k3s's configuration.
var flagPattern = regexp.MustCompile(`\b(` + configFlag + `|` + binDirFlag + `)(?:=|:?[ \t]+)["']?([^\s"']+)`)

// flagsOf returns the kubelet's flags from the usual files: systemd units, the files
// that these units read, and the configurations of k3s and RKE2.
func (d disk) flagsOf(p platform) (flags kubeletFlags) {
	files := []string{"/var/lib/kubelet/kubeadm-flags.env", "/etc/default/kubelet", "/etc/sysconfig/kubelet", "/etc/eks/kubelet/environment"}
	for _, service := range p.services {
		files = append(files, d.unitFiles(service)...)
	}
	if p.name == "k3s" || p.name == "rke2" {
		files = append(files, "/etc/rancher/"+p.name+"/config.yaml")
		files = append(files, d.glob("/etc/rancher/"+p.name+"/config.yaml.d", "*.yaml")...)
	}
	for _, file := range files {
		content, err := readFile(d.at(file))
		if err != nil {
			continue // most nodes have few of these files
		}
		for line := range strings.Lines(string(content)) {
			if strings.HasPrefix(strings.TrimSpace(line), "#") {
				continue
			}
			for _, found := range flagPattern.FindAllStringSubmatch(line, -1) {
				if found[1] == configFlag {
					flags.config = found[2]
				} else {
					flags.binDir = found[2]
				}
			}
		}
	}
	return flags
}

// glob returns the files of a directory whose names match, as paths of the node.
func (d disk) glob(dir, pattern string) (files []string) {
	found, _ := filepath.Glob(d.at(dir) + "/" + pattern) // the pattern is valid
	for _, path := range found {
		files = append(files, dir+"/"+filepath.Base(path))
	}
	return files
}

// unitFiles returns a unit's files and their drop-ins, as paths of the node. The last one
// counts, as it does for systemd.
func (d disk) unitFiles(service string) (files []string) {
	for _, dir := range []string{"/usr/lib/systemd/system", "/lib/systemd/system", "/usr/local/lib/systemd/system", unitDir} {
		files = append(files, dir+"/"+service+".service")
		files = append(files, d.glob(dir+"/"+service+".service.d", "*.conf")...)
	}
	return files
}
