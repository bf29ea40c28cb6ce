// Package cli is the command line of the plugin: the command that the kubelet
// calls, and the commands for people.
package cli

import (
	"context"

	"ecr-cross-account-credential-provider/pkg/command"
	"ecr-cross-account-credential-provider/pkg/providerconfig"
)

// Name is the program's name in messages. It does not depend on the file's name.
const Name = providerconfig.PluginName

// Process holds what the program gets from its process.
type Process = command.Process

// Main runs the program and returns its exit status.
func Main(ctx context.Context, p Process) int { return CommandLine(p).Main(ctx, p) }

// CommandLine returns the program's commands and flags.
func CommandLine(p Process) command.Program {
	var conf command.Configuration
	kubelets := command.Command{
		Name: "get-credentials", Summary: "serve the kubelet: a request on stdin, the response on stdout (the default)",
		Example: "get-credentials < request.json", New: getCredentials(&conf), ForPrograms: true,
	}
	return command.Program{
		Name:     Name,
		Summary:  "Gives a kubelet credentials for images in Amazon ECR registries of other AWS accounts.",
		Synopsis: "[--config FILE] [--role ACCOUNT=ROLE_ARN]...",
		Flags:    conf.Register,
		Default:  kubelets,
		Commands: []command.Command{
			kubelets,
			{
				Name: "validate", Args: "[FILE|-]", Summary: "check a configuration: print ok, or every problem and exit 3",
				Example: "validate config.yaml", New: validate(&conf),
			},
			{
				Name: "explain", Args: "IMAGE", Summary: "say what would be done for an image, without calling AWS",
				Example: "explain 444455556666.dkr.ecr.eu-west-1.amazonaws.com/team-a/app", New: explain(&conf),
			},
			{
				Name: "refresh", Summary: "mint tokens into the cache before pods need them; for a timer",
				Example: "refresh --provider-config /etc/kubernetes/credential-provider.yaml", New: refresh(&conf),
			},
			{
				Name: "metrics", Summary: "print tokens and requests as metrics for Prometheus",
				Example: "metrics --textfile /var/lib/node_exporter/textfile/ecr-cross-account.prom", New: printMetrics(&conf),
			},
			{
				Name: "cache", Args: "list|clear", Summary: "list the entries of the node's cache, without tokens, or remove them",
				Example: "cache list", New: caches(&conf),
			},
			command.Version(),
		},
		Notes: "The configuration is that of --config, else of $" + command.ConfigVariable + ", else\n" + p.DefaultConfig +
			" if it exists.\nWithout one the program does what the stock ecr-credential-provider does.\n" +
			"Exit status: 0 success, 1 failure, 2 usage or configuration error, 3 a check found problems.\n",
	}
}
