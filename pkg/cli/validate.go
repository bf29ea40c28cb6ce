package cli

import (
	"context"
	"errors"
	"flag"
	"fmt"

	"ecr-cross-account-credential-provider/pkg/command"
	"ecr-cross-account-credential-provider/pkg/config"
	"ecr-cross-account-credential-provider/pkg/printable"
)

// validate prints ok, or each problem in a line. Warnings go to stderr and change
// nothing.
func validate(conf *command.Configuration) func(*flag.FlagSet) command.Run {
	return func(flags *flag.FlagSet) command.Run {
		anyOwner := flags.Bool("no-permissions", false, "do not check who may write the file")
		return func(_ context.Context, p Process, args []string) error {
			source, err := validated(p, *conf, args)
			if err != nil {
				return err
			}
			source.AnyOwner = *anyOwner
			return printProblems(p, source, conf.Roles)
		}
	}
}

func printProblems(p Process, source config.Source, roles []config.RoleFlag) error {
	c, err := source.Load(roles)
	var problems config.Problems
	switch {
	case err == nil:
		for _, warning := range c.Warnings {
			_, _ = fmt.Fprintf(p.Stderr, "warning: %s\n", printable.Line(warning.String(), command.MaxLine))
		}
		_, err = fmt.Fprintln(p.Stdout, "ok")
		return err
	case !errors.As(err, &problems):
		return err
	}
	for _, problem := range problems {
		if _, err := fmt.Fprintln(p.Stdout, printable.Line(problem.String(), command.MaxLine)); err != nil {
			return err
		}
	}
	return command.Reported(command.FoundProblem)
}

// validated is the configuration to validate: a file, or stdin if the file is "-".
func validated(p Process, conf command.Configuration, args []string) (config.Source, error) {
	switch {
	case len(args) > 1:
		return config.Source{}, command.UsageError("validate takes one file, not %d", len(args))
	case len(args) == 1 && conf.Path != "":
		return config.Source{}, command.UsageError("validate takes one file, not %q and --config %q", printable.Short(args[0]), printable.Short(conf.Path))
	case len(args) == 1:
		conf.Path = args[0]
	}
	if conf.Path == "-" {
		return config.Source{Path: "stdin", Reader: p.Stdin}, nil
	}
	file, err := conf.File(p)
	switch {
	case err != nil:
		return config.Source{}, err
	case file == "" && len(conf.Roles) == 0:
		return config.Source{}, command.UsageError("no configuration to validate: %s does not exist; name a file: %s validate FILE", p.DefaultConfig, Name)
	}
	return config.Source{Path: file}, nil
}
