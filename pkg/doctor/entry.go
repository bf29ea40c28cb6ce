package doctor

import (
	"context"
	"debug/buildinfo"
	"debug/elf"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"ecr-cross-account-credential-provider/pkg/diagnosis"
	"ecr-cross-account-credential-provider/pkg/providerconfig"
)

// pluginName is the plugin's name, and the end of its package's path.
const pluginName = "ecr-cross-account-credential-provider"

// findEntry finds the plugin's entry in the kubelet's configuration, under whatever
// name, and checks the file that the kubelet runs.
func (e *examination) findEntry(ctx context.Context) {
	k := &e.kubelet
	k.entered = e.do(ctx, &diagnosis.Check{Kind: providerEntry, Needs: []*diagnosis.Check{k.found, k.read}, Run: func(ctx context.Context) diagnosis.Finding {
		if k.entry = e.chooseEntry(); k.entry == nil {
			return diagnosis.Fail(diagnosis.Node, fmt.Sprintf("no provider of %s is this plugin", k.configPath),
				"add an entry named "+pluginName+", and restart the kubelet")
		}
		path := filepath.Join(k.binDir, k.entry.Name)
		if err := e.checkBinary(path); err != nil {
			return diagnosis.Fail(diagnosis.Node, err.Error(), "put the plugin for this node there, with mode 0755 and owner root")
		}
		detail := path
		if output, err := e.Execute(ctx, path, "version"); err == nil {
			if version := strings.TrimPrefix(strings.TrimSpace(output), pluginName+" "); version != e.Process.Version {
				return diagnosis.Warn(fmt.Sprintf("%s is version %s, and this program is %s", path, version, e.Process.Version), "install both of one version")
			}
			detail += ", version " + e.Process.Version
		}
		return diagnosis.Fine(detail)
	}})
	if err := e.adoptEnvironment(); err != nil && k.entered.Result == diagnosis.OK {
		k.entered.Finding = diagnosis.Warn(err.Error(), "run doctor as root")
	}
}

// chooseEntry returns the entry of the plugin: with tokenAttributes for a pod's service
// account, without for the node, else the first one.
func (e *examination) chooseEntry() *providerconfig.Provider {
	var first *providerconfig.Provider
	for i := range e.kubelet.config.Providers {
		p := &e.kubelet.config.Providers[i]
		if !e.isPlugin(p.Name) {
			continue
		}
		if (p.TokenAttributes != nil) == (e.Pod != nil) {
			return p
		}
		if first == nil {
			first = p
		}
	}
	return first
}

// isPlugin reports whether a file of the kubelet's plugins is this plugin: by its
// name, that of the file it links to, or what the Go linker has noted in it.
func (e *examination) isPlugin(name string) bool {
	path := filepath.Join(e.kubelet.binDir, name)
	if name == pluginName {
		return true
	}
	if target, err := filepath.EvalSymlinks(path); err == nil && filepath.Base(target) == pluginName {
		return true
	}
	info, err := buildinfo.ReadFile(path)
	return err == nil && strings.HasSuffix(info.Path, "/cmd/"+pluginName)
}

// checkBinary says why the kubelet cannot run a file, or should not.
func (e *examination) checkBinary(path string) error {
	info, err := os.Stat(path)
	switch {
	case err != nil:
		return err
	case !info.Mode().IsRegular():
		return fmt.Errorf("%s is not a file (%s)", path, info.Mode().Type())
	case info.Mode().Perm()&0o111 == 0:
		return fmt.Errorf("%s is not executable (mode %04o)", path, info.Mode().Perm())
	case info.Mode().Perm()&0o022 != 0:
		return fmt.Errorf("%s can be written by others than its owner (mode %04o), and the kubelet runs it as root", path, info.Mode().Perm())
	}
	program, err := elf.Open(path)
	if err != nil {
		return nil //nolint:nilerr // a script, or a program of another system
	}
	machine := program.Machine
	if want, ok := machines[e.Architecture]; ok && machine != want {
		err = fmt.Errorf("%s is a program for %s, and this node is %s", path, strings.TrimPrefix(machine.String(), "EM_"), e.Architecture)
	}
	_ = program.Close()
	return err
}

// machines are the architectures for which the plugin is built.
var machines = map[string]elf.Machine{"amd64": elf.EM_X86_64, "arm64": elf.EM_AARCH64}
