// Package app is the command line of ecr-pull-secrets. It connects the program's
// parts.
package app

import (
	"context"
	"errors"
	"flag"

	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/utils/clock"

	"ecr-cross-account-credential-provider/cmd/ecr-pull-secrets/internal/target"
	"ecr-cross-account-credential-provider/pkg/command"
	"ecr-cross-account-credential-provider/pkg/config"
	"ecr-cross-account-credential-provider/pkg/printable"
)

// Name is the program's name in messages. It does not depend on the file's name.
const Name = "ecr-pull-secrets"

// options are the flags.
type options struct {
	config     command.Configuration
	kubeconfig string
	selector   string
	secret     string
	lease      string
	once       bool
	elect      bool
	listen     string
}

// defaultSelector selects the namespaces that request a Secret.
const defaultSelector = Name + "/enabled=true"

func (o *options) register(flags *flag.FlagSet) {
	flags.StringVar(&o.config.Path, "config", o.config.Path, "the plugin's configuration, a `FILE`")
	flags.StringVar(&o.kubeconfig, "kubeconfig", o.kubeconfig, "the kubeconfig's `FILE`; without it, the cluster in which the program runs")
	flags.StringVar(&o.selector, "namespace-selector", o.selector, "the `LABELS` of the namespaces that get a Secret (default "+defaultSelector+")")
	flags.StringVar(&o.secret, "secret-name", o.secret, "the `NAME` of the Secrets (default "+Name+")")
	flags.StringVar(&o.lease, "lease", o.lease, "the `NAME` of the Lease that the replicas share; each release in a namespace needs its own (default "+Name+")")
	flags.BoolVar(&o.once, "once", o.once, "write every Secret once and exit, with 1 if anything failed")
	flags.BoolVar(&o.elect, "leader-elect", o.elect, "let one of several replicas work (default true)")
	flags.StringVar(&o.listen, "listen", o.listen, "the `ADDRESS` of /metrics, /readyz and /livez (default :8080; empty for none)")
}

// check returns an error if the flags are wrong.
func (o *options) check() error {
	if _, err := labels.Parse(o.selector); err != nil {
		return command.UsageError("--namespace-selector %q is not a selector of labels: %w", printable.Short(o.selector), err)
	}
	if problems := validation.IsDNS1123Subdomain(o.secret); len(problems) > 0 {
		return command.UsageError("--secret-name %q is not the name of a Secret: %s", printable.Short(o.secret), problems[0])
	}
	if problems := validation.IsDNS1123Subdomain(o.lease); len(problems) > 0 {
		return command.UsageError("--lease %q is not the name of a Lease: %s", printable.Short(o.lease), problems[0])
	}
	return nil
}

// Main runs the program and returns its exit status. All long waits use the clock.
func Main(ctx context.Context, p command.Process, clock clock.Clock) int {
	o := &options{selector: defaultSelector, secret: Name, lease: Name, elect: true, listen: ":8080"}
	run := command.Command{
		Name: "run", Summary: "keep the Secrets fresh until a signal comes (the default)",
		Example: "--config config.yaml --namespace-selector team=shop", ForPrograms: true,
		New: func(flags *flag.FlagSet) command.Run {
			o.register(flags)
			return func(ctx context.Context, p command.Process, args []string) error {
				if len(args) > 0 {
					return command.UsageError("run takes no argument %q", printable.Short(args[0]))
				}
				return o.run(ctx, p, clock)
			}
		},
	}
	return command.Program{
		Name:     Name,
		Summary:  "Keeps a pull Secret for Amazon ECR registries of other AWS accounts fresh in each selected namespace.",
		Synopsis: "--config FILE [--kubeconfig FILE] [--namespace-selector LABELS] [--secret-name NAME] [--lease NAME] [--once] [--leader-elect=false] [--listen ADDRESS]",
		Flags:    o.register,
		Default:  run,
		Commands: []command.Command{run, command.Version()},
		Notes: "The configuration is that of --config, else of $" + command.ConfigVariable + ", else\n" + p.DefaultConfig +
			". Each entry must name its accounts and its regions.\n" +
			"Exit status: 0 success, 1 failure, 2 usage or configuration error.\n",
	}.Main(ctx, p)
}

// load reads the configuration, and lists its targets. Its errors have the exit status
// of configuration errors.
func (o *options) load(p command.Process) (c config.Config, targets target.Set, err error) {
	file, err := o.config.File(p)
	if err == nil && file == "" {
		err = errors.New("no configuration: " + p.DefaultConfig + " does not exist; name a file with --config")
	}
	if err == nil {
		c, err = config.Load(file, nil)
	}
	if err == nil {
		targets, err = target.New(c)
	}
	if err != nil {
		return config.Config{}, target.Set{}, &command.ExitError{Status: command.Misused, Err: err}
	}
	return c, targets, nil
}
