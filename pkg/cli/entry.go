package cli

import (
	"cmp"
	"errors"
	"flag"
	"fmt"
	"slices"
	"strings"

	"ecr-cross-account-credential-provider/pkg/command"
	"ecr-cross-account-credential-provider/pkg/printable"
	"ecr-cross-account-credential-provider/pkg/providerconfig"
)

// kubeletEntry selects the plugin's entry in the kubelet's
// CredentialProviderConfig. The entry sets the plugin's environment and arguments.
type kubeletEntry struct {
	path, name string // of --provider-config and --provider
}

func (k *kubeletEntry) register(flags *flag.FlagSet) {
	flags.StringVar(&k.path, "provider-config", "", "the kubelet's CredentialProviderConfig, the `PATH` of a file or directory; use env and args of the plugin's entry in it")
	flags.StringVar(&k.name, "provider", "", "the `NAME` of the plugin's entry there, if there are several")
}

// apply gives this process the environment and the flags with which the kubelet starts
// the plugin. The command line's --config overrides that of the entry's args. Its --role
// flags are added to those of the args. apply must run before any code reads the environment.
func (k kubeletEntry) apply(p Process, conf *command.Configuration) error {
	switch {
	case k.path == "" && k.name != "":
		return command.UsageError("--provider needs --provider-config")
	case k.path == "":
		return nil
	}
	entry, err := k.find()
	if err != nil {
		return &command.ExitError{Status: command.Misused, Err: err}
	}
	for _, v := range entry.Env {
		if err := p.Setenv(v.Name, v.Value); err != nil {
			return command.UsageError("setting variable %q of provider %s in %s: %w", printable.Short(v.Name), printable.Short(entry.Name), k.path, err)
		}
	}
	var own command.Configuration
	if err := own.ParseArgs(entry.Args); err != nil {
		return command.UsageError("args of provider %s in %s: %w", printable.Short(entry.Name), k.path, err)
	}
	if conf.Path == "" {
		conf.Path = own.Path
	}
	conf.Roles = append(own.Roles, conf.Roles...)
	return nil
}

// find returns the entry of --provider. Without --provider it returns the only entry
// whose name is this program's, with or without a prefix. If there is none, it returns
// the only entry of the file if that has the stock provider's name. Any problem in the
// file is an error, because an incomplete entry would give another identity.
func (k kubeletEntry) find() (providerconfig.Provider, error) {
	c, problems := providerconfig.Read(k.path, providerconfig.Version{})
	if len(problems) > 0 {
		return providerconfig.Provider{}, joinLines(problems)
	}
	found := k.candidates(c)
	if len(found) == 1 {
		return found[0], nil
	}
	all := make([]string, len(c.Providers))
	for i, p := range c.Providers {
		all[i] = printable.Short(p.Name)
	}
	names := cmp.Or(strings.Join(all, ", "), "none")
	switch {
	case len(found) > 1 && k.name != "":
		return providerconfig.Provider{}, fmt.Errorf("%s has several providers %q", k.path, printable.Short(k.name))
	case len(found) > 1:
		return providerconfig.Provider{}, fmt.Errorf("%s has several providers of this program; name one with --provider; the providers there: %s", k.path, names)
	case k.name != "":
		return providerconfig.Provider{}, fmt.Errorf("%s has no provider %q; the providers there: %s", k.path, printable.Short(k.name), names)
	}
	return providerconfig.Provider{}, fmt.Errorf("%s has no provider named %s; if another one is this program, name it with --provider; the providers there: %s", k.path, Name, names)
}

func (k kubeletEntry) candidates(c providerconfig.Config) []providerconfig.Provider {
	if k.name != "" {
		return slices.DeleteFunc(slices.Clone(c.Providers), func(p providerconfig.Provider) bool { return p.Name != k.name })
	}
	found := c.Plugins(providerconfig.Programs{})
	if len(found) == 0 && len(c.Providers) == 1 && c.Providers[0].Name == providerconfig.StockName {
		return c.Providers
	}
	return found
}

// joinLines joins problems into one line.
func joinLines(problems []error) error {
	texts := make([]string, len(problems))
	for i, problem := range problems {
		texts[i] = problem.Error()
	}
	return errors.New(strings.Join(texts, "; "))
}
