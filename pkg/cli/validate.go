package cli

import (
	"context"
	"errors"
	"fmt"

	"ecr-cross-account-credential-provider/pkg/config"
	"ecr-cross-account-credential-provider/pkg/printable"
)

// validate prints ok, or a problem a line.
func validate(_ context.Context, p Process, o options, args []string) error {
	switch {
	case len(args) > 1:
		return usageError("validate takes one file, not %d", len(args))
	case len(args) == 1 && o.config != "":
		return usageError("validate takes one file, not %q and --config %q", printable.Short(args[0]), printable.Short(o.config))
	case len(args) == 1:
		o.config = args[0]
	}
	file, err := o.file(p)
	if err != nil {
		return &exitError{misused, err}
	}
	if file == "" && len(o.roles) == 0 {
		return usageError("there is no configuration to validate: %s is not there; name a file: %s validate FILE", p.DefaultConfig, Name)
	}
	_, err = config.Load(file, o.roles)
	var problems config.Problems
	switch {
	case err == nil:
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
