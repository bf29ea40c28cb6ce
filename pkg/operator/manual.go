package operator

import (
	"context"
	"flag"
	"io"
	"slices"
	"strings"

	"ecr-cross-account-credential-provider/pkg/cli"
	"ecr-cross-account-credential-provider/pkg/command"
	"ecr-cross-account-credential-provider/pkg/manual"
	"ecr-cross-account-credential-provider/pkg/printable"
	"ecr-cross-account-credential-provider/pkg/spelling"
)

// completion prints a script that completes both programs.
func completion() command.Command {
	shells := strings.Join(manual.Shells, "|")
	return command.Command{
		Name: "completion", Args: shells, Summary: "print a shell's completions of both programs",
		Example: "completion bash > /usr/share/bash-completion/completions/" + Name,
		New: func(*flag.FlagSet) command.Run {
			return func(_ context.Context, p command.Process, args []string) error {
				if len(args) != 1 || !slices.Contains(manual.Shells, args[0]) {
					return command.UsageError("want %s completion %s", Name, shells)
				}
				_, err := io.WriteString(p.Stdout, manual.Completion(args[0], CommandLine(p), cli.CommandLine(p)))
				return err
			}
		},
	}
}

// man prints the manual page of a program.
func man() command.Command {
	return command.Command{
		Name: "man", Args: "[PROGRAM]", Summary: "print the manual page of this program, or of " + cli.Name,
		Example: "man | man -l -",
		New: func(*flag.FlagSet) command.Run {
			return func(_ context.Context, p command.Process, args []string) error {
				program := CommandLine(p)
				switch {
				case len(args) == 0 || len(args) == 1 && args[0] == Name:
				case len(args) == 1 && args[0] == cli.Name:
					program = cli.CommandLine(p)
				case len(args) == 1:
					return command.UsageError("no program %q%s", printable.Short(args[0]), spelling.DidYouMean(args[0], []string{Name, cli.Name}))
				default:
					return command.UsageError("man takes one program, not %d", len(args))
				}
				_, err := io.WriteString(p.Stdout, manual.Page(program, p.Version))
				return err
			}
		},
	}
}
