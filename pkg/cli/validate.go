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

// validated is the JSON form of validate. The names of its fields are stable.
type validated struct {
	Valid    bool            `json:"valid"`
	Problems config.Problems `json:"problems"`
	Warnings config.Problems `json:"warnings"`
}

// validate prints ok, or each problem on its own line. Warnings go to stderr and do not
// change the exit status.
func validate(conf *command.Configuration) func(*flag.FlagSet) command.Run {
	return func(flags *flag.FlagSet) command.Run {
		conf.Register(flags)
		json := command.OutputFlag(flags)
		var kubelet kubeletFlags
		kubelet.register(flags)
		anyOwner := flags.Bool("no-permissions", false, "do not check who may write the file")
		return func(_ context.Context, p Process, args []string) error {
			source, err := sourceOf(p, *conf, args)
			if err != nil {
				return err
			}
			source.AnyOwner = *anyOwner
			warnings, problems, err := check(source, conf.Roles, kubelet)
			switch {
			case err != nil:
				return err
			case *json:
				err = p.WriteJSON(validated{len(problems) == 0, problems, warnings})
			default:
				err = printProblems(p, warnings, problems)
			}
			if err == nil && len(problems) > 0 {
				err = command.Reported(command.FoundProblem)
			}
			return err
		}
	}
}

// check loads a configuration, and checks the kubelet's if the flags name one. Neither
// list is nil, so JSON shows an empty list as [].
func check(source config.Source, roles []config.RoleFlag, kubelet kubeletFlags) (warnings, problems config.Problems, err error) {
	c, err := source.Load(roles)
	if err != nil && !errors.As(err, &problems) {
		return nil, nil, err
	}
	c.File = source.Path
	more, wrong, err := kubelet.check(c)
	if err != nil {
		return nil, nil, err
	}
	return append(append(config.Problems{}, c.Warnings...), more...), append(append(config.Problems{}, problems...), wrong...), nil
}

func printProblems(p Process, warnings, problems config.Problems) error {
	for _, warning := range warnings {
		_, _ = fmt.Fprintf(p.Stderr, "warning: %s\n", printable.Line(warning.String(), command.MaxLine))
	}
	for _, problem := range problems {
		if _, err := fmt.Fprintln(p.Stdout, printable.Line(problem.String(), command.MaxLine)); err != nil {
			return err
		}
	}
	if len(problems) > 0 {
		return nil
	}
	_, err := fmt.Fprintln(p.Stdout, "ok")
	return err
}

// sourceOf returns the configuration to validate: a file, or stdin if the file is "-".
func sourceOf(p Process, conf command.Configuration, args []string) (config.Source, error) {
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
