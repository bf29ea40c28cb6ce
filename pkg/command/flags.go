package command

import (
	"flag"
	"io"
)

// flags returns a set with the flags of all commands.
func (pr Program) flags(name string) *flag.FlagSet {
	flags := flag.NewFlagSet(name, flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	if pr.Flags != nil {
		pr.Flags(flags)
	}
	return flags
}

// parse parses flags before, between and after the other arguments, and returns the
// other arguments. After "--" there are no more flags.
func parse(flags *flag.FlagSet, args []string) (rest []string, err error) {
	for {
		if err := flags.Parse(args); err != nil {
			return nil, err
		}
		left := flags.Args()
		if parsed := len(args) - len(left); len(left) == 0 || parsed > 0 && args[parsed-1] == "--" {
			return append(rest, left...), nil
		}
		rest, args = append(rest, left[0]), left[1:]
	}
}

// Flag describes a flag to people.
type Flag struct {
	// Name has no dashes. Value is the placeholder of its value. It is empty for a
	// flag without a value.
	Name, Value, Usage string
}

// String returns the flag as people write it.
func (f Flag) String() string { return words("--"+f.Name, f.Value) }

// FlagsOf returns the flags of a command, including those of all commands.
func (pr Program) FlagsOf(c Command) (described []Flag) {
	flags := pr.flags(c.Name)
	c.New(flags)
	flags.VisitAll(func(f *flag.Flag) {
		value, usage := flag.UnquoteUsage(f)
		described = append(described, Flag{f.Name, value, usage})
	})
	return described
}
