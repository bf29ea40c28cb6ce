package cli

import (
	"errors"
	"flag"
	"fmt"
	"io"
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
	flags.StringVar(&k.path, "provider-config", "", "the kubelet's CredentialProviderConfig, a `PATH` of a file or directory: env and args of the plugin's entry count")
	flags.StringVar(&k.name, "provider", "", "the `NAME` of the plugin's entry there, if there are several")
}

// apply gives this process the environment and the flags with which the kubelet
// starts the plugin. Flags of the command line have priority over the same flags in
// the entry's args. apply must run before anything reads the environment.
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
			return fmt.Errorf("setting variable %s of provider %s in %s: %w", printable.Short(v.Name), printable.Short(entry.Name), k.path, err)
		}
	}
	flags := flag.NewFlagSet("args", flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	var own command.Configuration
	own.Register(flags)
	for args := entry.Args; len(args) > 0; { // flags may stand before the command's name and after it
		if err := flags.Parse(args); err != nil {
			return command.UsageError("args of provider %s in %s: %w", printable.Short(entry.Name), k.path, err)
		}
		args = flags.Args()[min(1, flags.NArg()):]
	}
	if conf.Path == "" {
		conf.Path = own.Path
	}
	conf.Roles = append(own.Roles, conf.Roles...)
	return nil
}

// find returns the entry that --provider names, else the only one, else the one
// with the plugin's own name.
func (k kubeletEntry) find() (providerconfig.Provider, error) {
	c, problems := providerconfig.Load(k.path, providerconfig.Version{})
	var names []string
	for _, entry := range c.Providers {
		if entry.Name == k.name || k.name == "" && (len(c.Providers) == 1 || entry.Name == Name) {
			return entry, nil
		}
		names = append(names, printable.Short(entry.Name))
	}
	switch {
	case len(c.Providers) == 0:
		return providerconfig.Provider{}, errors.Join(problems...)
	case k.name != "":
		return providerconfig.Provider{}, fmt.Errorf("%s has no provider %q; it has %s", k.path, printable.Short(k.name), strings.Join(names, ", "))
	}
	return providerconfig.Provider{}, fmt.Errorf("%s has several providers, %s; say with --provider which is this program", k.path, strings.Join(names, ", "))
}
