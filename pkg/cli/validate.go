package cli

import (
	"context"
	"errors"
	"fmt"

	"ecr-cross-account-credential-provider/pkg/config"
	"ecr-cross-account-credential-provider/pkg/printable"
)

// validate prints ok, or each problem in a line. Warnings go to stderr and change
// nothing.
func validate(_ context.Context, p Process, o options, args []string) error {
	source, err := o.source(p, args)
	if err != nil {
		return err
	}
	c, err := source.Load(o.roles)
	var problems config.Problems
	switch {
	case err == nil:
		for _, warning := range c.Warnings {
			_, _ = fmt.Fprintf(p.Stderr, "warning: %s\n", printable.Line(warning.String(), maxLine))
		}
		_, err = fmt.Fprintln(p.Stdout, "ok")
		return err
	case !errors.As(err, &problems):
		return err
	}
	for _, problem := range problems {
		if _, err := fmt.Fprintln(p.Stdout, printable.Line(problem.String(), maxLine)); err != nil {
			return err
		}
	}
	return &exitError{foundProblem, errSilent}
}

// source is the configuration to validate: a file, or stdin if the file is "-".
func (o options) source(p Process, args []string) (config.Source, error) {
	switch {
	case len(args) > 1:
		return config.Source{}, usageError("validate takes one file, not %d", len(args))
	case len(args) == 1 && o.config != "":
		return config.Source{}, usageError("validate takes one file, not %q and --config %q", printable.Short(args[0]), printable.Short(o.config))
	case len(args) == 1:
		o.config = args[0]
	}
	if o.config == "-" {
		return config.Source{Path: "stdin", Reader: p.Stdin}, nil
	}
	file, err := o.file(p)
	switch {
	case err != nil:
		return config.Source{}, &exitError{misused, err}
	case file == "" && len(o.roles) == 0:
		return config.Source{}, usageError("no configuration to validate: %s does not exist; name a file: %s validate FILE", p.DefaultConfig, Name)
	}
	return config.Source{Path: file, AnyOwner: o.anyOwner}, nil
}
