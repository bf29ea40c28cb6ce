package doctor

import (
	"context"
	"debug/buildinfo"
	"debug/elf"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"ecr-cross-account-credential-provider/pkg/command"
	"ecr-cross-account-credential-provider/pkg/diagnosis"
	"ecr-cross-account-credential-provider/pkg/providerconfig"
)

const pluginName = providerconfig.PluginName

// findEntry finds the plugin's entry in the kubelet's configuration, under any
// name. It checks the file that the kubelet runs. Later checks use the plugin's
// environment.
func (e *examination) findEntry(ctx context.Context) {
	k := &e.kubelet
	k.entered = e.do(ctx, &diagnosis.Check{Kind: providerEntry, Needs: []*diagnosis.Check{k.found, k.read}, Run: func(ctx context.Context) diagnosis.Finding {
		f := e.checkEntry(ctx)
		if err := e.adoptEnvironment(); err != nil && f.Result == diagnosis.OK {
			return diagnosis.Warn(err.Error(), "run doctor as root")
		}
		return f
	}})
	if k.entered.Result == diagnosis.Skipped {
		_ = e.adoptEnvironment() // a skipped check has no warnings
	}
}

// checkEntry chooses the plugin's entry and checks its file.
func (e *examination) checkEntry(ctx context.Context) diagnosis.Finding {
	k := &e.kubelet
	k.plugins = k.config.Plugins(k.programs())
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
		build := strings.TrimPrefix(strings.TrimSpace(output), pluginName+" ")
		if own := command.BuildOf(e.Process.Version).String(); build != own {
			return diagnosis.Warn(fmt.Sprintf("%s is version %s, and this program is %s", path, build, own), "install the same version of both")
		}
		detail += ", version " + e.Process.Version
	}
	return diagnosis.Fine(detail)
}

// chooseEntry returns the plugin's entry: one with tokenAttributes for a pod's
// service account, one without for the node, else the first one.
func (e *examination) chooseEntry() *providerconfig.Provider {
	plugins := e.kubelet.plugins
	for i, p := range plugins {
		if (p.TokenAttributes != nil) == (e.Pod != nil) {
			return &plugins[i]
		}
	}
	if len(plugins) == 0 {
		return nil
	}
	return &plugins[0]
}

// programs returns the programs that the kubelet runs.
func (k *kubelet) programs() providerconfig.Programs {
	return providerconfig.Programs{Directory: k.binDir, MainPackage: mainPackage}
}

// mainPackage returns the path of a program's main package, as the Go linker
// recorded it.
func mainPackage(path string) string {
	info, err := buildinfo.ReadFile(path)
	if err != nil {
		return "" // not a Go program
	}
	return info.Path
}

// checkBinary returns an error if the kubelet cannot or should not run a file.
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
		return fmt.Errorf("%s can be written by users other than its owner (mode %04o), and the kubelet runs it as root", path, info.Mode().Perm())
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
