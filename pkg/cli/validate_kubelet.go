package cli

import (
	"flag"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"ecr-cross-account-credential-provider/pkg/command"
	"ecr-cross-account-credential-provider/pkg/config"
	"ecr-cross-account-credential-provider/pkg/providerconfig"
	"ecr-cross-account-credential-provider/pkg/registry"
)

// kubeletFlags name the kubelet's CredentialProviderConfig. It is checked against
// the kubelet's own rules and the accounts of the configuration.
type kubeletFlags struct {
	path, binDir string
	version      providerconfig.Version // the zero value counts as the latest
}

func (k *kubeletFlags) register(flags *flag.FlagSet) {
	flags.StringVar(&k.path, "kubelet-config", "", "also check the kubelet's CredentialProviderConfig, the `PATH` of a file or directory")
	flags.StringVar(&k.binDir, "bin-dir", "", "also check the providers' programs in this `DIR`, with --kubelet-config")
	flags.Func("kubelet-version", "the kubelet's `VERSION`, such as v1.33 (default: the latest), with --kubelet-config", func(s string) (err error) {
		k.version, err = providerconfig.ParseVersion(s)
		return err
	})
}

// check returns the problems that stop the kubelet at its start. It also returns a
// warning for each account for which the kubelet does not ask the plugin.
func (k kubeletFlags) check(c config.Config) (warnings, problems config.Problems, err error) {
	if k.path == "" {
		if k != (kubeletFlags{}) {
			return nil, nil, command.UsageError("--bin-dir and --kubelet-version need --kubelet-config PATH")
		}
		return nil, nil, nil
	}
	kubelets, errs := providerconfig.Load(k.path, k.version)
	for _, err := range errs {
		problems = append(problems, k.problem(kubelets, err.Error()))
	}
	for _, p := range kubelets.Providers {
		if k.binDir == "" || p.Name == "" {
			continue
		}
		if err := isProgram(filepath.Join(k.binDir, p.Name)); err != nil {
			problems = append(problems, k.problem(kubelets, fmt.Sprintf("provider %s: %v", p.Name, err)))
		}
	}
	if len(problems) == 0 {
		warnings = k.unasked(kubelets, c)
	}
	return warnings, problems, nil
}

// problem returns a message as the problem of a file. The file is the one that the
// message starts with, or else the path of --kubelet-config.
func (k kubeletFlags) problem(c providerconfig.Config, message string) config.Problem {
	for _, file := range append(c.Files, k.path) {
		if rest, ok := strings.CutPrefix(message, file+": "); ok {
			return config.Problem{File: file, Message: rest}
		}
	}
	return config.Problem{File: k.path, Message: message}
}

// isProgram returns an error if the kubelet would not find a program at the path.
func isProgram(path string) error {
	info, err := os.Stat(path)
	switch {
	case err != nil:
		return err
	case !info.Mode().IsRegular():
		return fmt.Errorf("%s is not a file", path)
	case info.Mode().Perm()&0o111 == 0 && filepath.Separator == '/': // Windows has no mode bits
		return fmt.Errorf("%s is not executable; run: chmod 0755", path)
	}
	return nil
}

// unasked returns a warning for each account that no matchImages of the plugin
// covers. If no provider is recognized as the plugin, any of them may be it. So
// unasked then looks at all providers.
func (k kubeletFlags) unasked(kubelets providerconfig.Config, c config.Config) (warnings config.Problems) {
	providers := kubelets.Plugins(providerconfig.Programs{Directory: k.binDir})
	if len(providers) == 0 {
		providers = kubelets.Providers
	}
	var done []registry.Account
	for _, entry := range c.Rules.Entries() {
		for _, account := range entry.Accounts.Named {
			if slices.Contains(done, account) || slices.ContainsFunc(providers, func(p providerconfig.Provider) bool { return asksFor(p, account) }) {
				continue
			}
			done = append(done, account)
			warnings = append(warnings, config.Problem{
				File: c.File, Line: entry.Line, Path: entry.Name,
				Message: fmt.Sprintf("the kubelet does not ask for images of account %s: add its hosts to matchImages in %s", account, k.path),
			})
		}
	}
	return warnings
}

// asksFor reports whether a pattern of a provider is for a host of the account.
func asksFor(p providerconfig.Provider, account registry.Account) bool {
	return slices.ContainsFunc(p.MatchImages, func(pattern string) bool {
		label, rest, _ := strings.Cut(pattern, ".")
		ok, err := path.Match(label, account.String())
		return ok && err == nil && strings.Contains(rest, "ecr")
	})
}
