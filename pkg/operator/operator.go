// Package operator is the command line of ecr-cross-account, the operator's tool.
package operator

import (
	"context"

	"ecr-cross-account-credential-provider/pkg/command"
)

// Name is the program's name in messages. It does not depend on the file's name.
const Name = "ecr-cross-account"

// Main runs the program and returns its exit status.
func Main(ctx context.Context, p command.Process) int { return CommandLine(p).Main(ctx, p) }

// CommandLine returns the program's commands and flags.
func CommandLine(p command.Process) command.Program {
	var conf command.Configuration
	return command.Program{
		Name:     Name,
		Summary:  "Sets up and checks pulls of images in Amazon ECR registries of other AWS accounts.",
		Synopsis: "[--config FILE] [--role ACCOUNT=ROLE_ARN]...",
		Flags:    conf.Register,
		Commands: []command.Command{
			doctorCommand(&conf),
			iamCommand(&conf),
			installCommand(&conf),
			uninstallCommand(),
			completion(),
			man(),
			command.Version(),
		},
		Notes: "The configuration is that of --config, else of $" + command.ConfigVariable + ", else\n" + p.DefaultConfig +
			" if it exists.\n" +
			"Exit status: 0 success, 1 failure, 2 usage or configuration error, 3 a check found problems.\n",
	}
}
