package doctor

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"ecr-cross-account-credential-provider/pkg/diagnosis"
	"ecr-cross-account-credential-provider/pkg/procfs"
	"ecr-cross-account-credential-provider/pkg/providerconfig"
)

// kubelet holds what doctor knows about the node's kubelet. Paths are as this process
// sees them. They start with the root directory of the kubelet's process if that differs.
type kubelet struct {
	process            *procfs.Process // nil if none was searched for or found
	version            providerconfig.Version
	root               string
	configPath, binDir string
	config             providerconfig.Config
	// plugins are the plugin's entries, in the file's order. entry is the one that doctor
	// examines, or nil if there is none.
	plugins []providerconfig.Provider
	entry   *providerconfig.Provider

	found, read, entered *diagnosis.Check
}

// These two flags make a kubelet run providers.
const (
	configFlag = "image-credential-provider-config"
	binDirFlag = "image-credential-provider-bin-dir"
)

// rancherDir is where k3s and RKE2 look for providers if no flag names a directory.
const rancherDir = "/var/lib/rancher/credentialprovider"

// findKubelet finds the kubelet and its flags.
func (e *examination) findKubelet(ctx context.Context) {
	e.kubelet.found = e.do(ctx, &diagnosis.Check{Kind: kubeletProcess, Run: func(ctx context.Context) diagnosis.Finding {
		if e.KubeletConfig != "" {
			e.Proc = "" // the programs here do not belong to the examined node image
			e.kubelet.configPath, e.kubelet.binDir = e.KubeletConfig, e.BinDir
			return diagnosis.Fine("not searched for, because --kubelet-config names its configuration")
		}
		found, ok, err := e.Proc.FindKubelet()
		switch {
		case err != nil:
			return diagnosis.Skip(fmt.Sprintf("running programs can't be listed: %v", err))
		case !ok && e.Unprivileged:
			return diagnosis.Skip("this user can see no kubelet process; run doctor as root")
		case !ok:
			return diagnosis.Fail(diagnosis.Node, "no kubelet is running here",
				"if it exits at its start, its log says why (journalctl -u kubelet); for an image that is being built, use --kubelet-config PATH --bin-dir PATH")
		}
		return e.inspect(ctx, found)
	}})
}

// inspect reads the flags of a kubelet.
func (e *examination) inspect(ctx context.Context, p procfs.Process) diagnosis.Finding {
	k := &e.kubelet
	k.process = &p
	k.root = rootOf(p)
	detail := fmt.Sprintf("%s, process %d", p.Name, p.PID)
	output, err := e.Execute(ctx, p.Path("exe"), "--version")
	if err == nil {
		k.version, err = providerconfig.ParseVersion(output)
	}
	if err == nil {
		detail += ", version " + k.version.String()
	} else {
		detail += ", version unknown"
	}
	config, hasConfig := p.KubeletFlag(configFlag)
	binDir, hasBinDir := p.KubeletFlag(binDirFlag)
	if p.HasKubelet() {
		config, binDir = cmp.Or(config, filepath.Join(rancherDir, "config.yaml")), cmp.Or(binDir, filepath.Join(rancherDir, "bin"))
		hasConfig, hasBinDir = true, true
	}
	switch {
	case !hasConfig && !hasBinDir:
		return diagnosis.Fail(diagnosis.Node, detail+": it has neither --"+configFlag+" nor --"+binDirFlag+", so it runs no provider", "set both flags, and restart the kubelet")
	case !hasConfig || config == "":
		return diagnosis.Fail(diagnosis.Node, detail+": it has no --"+configFlag, "set the flag, and restart the kubelet")
	case !hasBinDir || binDir == "":
		return diagnosis.Fail(diagnosis.Node, detail+": it has no --"+binDirFlag, "set the flag, and restart the kubelet")
	}
	k.configPath, k.binDir = k.path(config), k.path(binDir)
	return diagnosis.Fine(fmt.Sprintf("%s, %s, plugins in %s", detail, config, binDir))
}

// path returns the path of one of the kubelet's files as this process sees it.
func (k *kubelet) path(name string) string { return filepath.Join(k.root, name) }

// rootOf returns the root directory of a process as this process sees it. It is empty
// if both have the same root directory, or if this user may not find out.
func rootOf(p procfs.Process) string {
	if p.SameRoot() {
		return ""
	}
	return p.Path("root")
}

// readProviders reads the kubelet's configuration of providers.
func (e *examination) readProviders(ctx context.Context) {
	k := &e.kubelet
	k.read = e.do(ctx, &diagnosis.Check{Kind: providerConfig, Needs: []*diagnosis.Check{k.found}, Run: func(context.Context) diagnosis.Finding {
		var problems []error
		k.config, problems = providerconfig.Load(k.configPath, k.version)
		if len(problems) > 0 {
			return diagnosis.Fail(diagnosis.Node, joined(problems), "correct the file; otherwise the kubelet exits at its next start")
		}
		names := make([]string, len(k.config.Providers))
		for i, p := range k.config.Providers {
			names[i] = p.Name
		}
		return diagnosis.Fine(fmt.Sprintf("%s: %s", strings.Join(k.config.Files, ", "), strings.Join(names, ", ")))
	}})
}

// joined returns errors in one line.
func joined(errs []error) string {
	texts := make([]string, len(errs))
	for i, err := range errs {
		texts[i] = err.Error()
	}
	return strings.Join(texts, "; ")
}

// checkLoaded checks that the kubelet was started after the last change of the files
// that it reads at its start.
func (e *examination) checkLoaded(ctx context.Context) {
	k := &e.kubelet
	e.do(ctx, &diagnosis.Check{Kind: loadedSince, Needs: []*diagnosis.Check{k.found, k.read}, Run: func(context.Context) diagnosis.Finding {
		if k.process == nil {
			return diagnosis.Skip("no kubelet was searched for")
		}
		started, err := k.process.Started()
		if err != nil {
			return diagnosis.Skip(fmt.Sprintf("the kubelet's start is not known: %v", err))
		}
		paths := k.config.Files
		if paths[0] != k.configPath && k.configPath != k.binDir { // a new plugin in the directory needs no restart
			paths = append([]string{k.configPath}, paths...) // the directory: files may be added or removed
		}
		for _, path := range paths {
			info, err := os.Stat(path)
			if err != nil {
				return diagnosis.Fail(diagnosis.Node, err.Error(), "restore the file; without it, the kubelet exits at its next start")
			}
			if at := changed(info); at.After(started.Add(startTolerance)) {
				return diagnosis.Fail(diagnosis.Node, fmt.Sprintf("%s was changed at %s, and the kubelet was started at %s", path, utc(at), utc(started)),
					"restart the kubelet: it reads the file at its start only")
			}
		}
		return diagnosis.Fine("started at " + utc(started) + ", after their last change")
	}})
}

// startTolerance is more than the error of a process's start time. The kernel
// reports the time of boot in whole seconds.
const startTolerance = 2 * time.Second

// adoptEnvironment gives this process the plugin's environment: the kubelet's, and then
// the env of the entry. It returns an error if it cannot read the kubelet's.
func (e *examination) adoptEnvironment() error {
	k := &e.kubelet
	environ := e.Process.Environ()
	var left error
	if k.process != nil {
		theirs, err := k.process.Environ()
		if err == nil {
			environ = theirs
		}
		left = err
	}
	if k.entry != nil {
		for _, v := range k.entry.Env {
			environ = append(environ, v.Name+"="+v.Value)
		}
	}
	if e.Process.SetEnviron == nil {
		return left
	}
	if errors.Is(left, fs.ErrPermission) {
		left = errors.New("only root may read the kubelet's environment; doctor uses its own instead")
	}
	return errors.Join(left, e.Process.SetEnviron(environ))
}

func utc(t time.Time) string { return t.UTC().Format(time.RFC3339) }
