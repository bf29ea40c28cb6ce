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

// parse parses flags before, between and after the other arguments, and returns
// those. After "--" there are no more flags.
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
