package command

import (
	"flag"
	"io"
)

// newFlags returns an empty set of flags.
func newFlags(name string) *flag.FlagSet {
	flags := flag.NewFlagSet(name, flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	return flags
}

// refuse returns an error if a flag before the command's name is not a flag of the
// command.
func (pr Program) refuse(c Command, leading, own *flag.FlagSet) (err error) {
	leading.Visit(func(f *flag.Flag) {
		if own.Lookup(f.Name) == nil && f.Name != "version" {
			err = UsageError("%s takes no --%s; for the flags, run: %s help %s", c.Name, f.Name, pr.Name, c.Name)
		}
	})
	return err
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
	// Name has no dashes. Value is the placeholder of the flag's value. It is empty
	// for a flag without a value.
	Name, Value, Usage string
	// Choices are the possible values. Nil means that the values are not fixed.
	Choices []string
}

// String returns the flag as people write it.
func (f Flag) String() string { return words("--"+f.Name, f.Value) }

// AllFlags returns the command's flags, by name.
func (c Command) AllFlags() []Flag { return describe(func(flags *flag.FlagSet) { c.New(flags) }) }

// LeadingFlags returns the flags that may stand before a command's name, by name.
func (pr Program) LeadingFlags() []Flag {
	if pr.Flags == nil {
		return nil
	}
	return describe(pr.Flags)
}

// describe returns the flags that a function defines.
func describe(define func(*flag.FlagSet)) (described []Flag) {
	flags := newFlags("")
	define(flags)
	flags.VisitAll(func(f *flag.Flag) {
		value, usage := flag.UnquoteUsage(f)
		d := Flag{Name: f.Name, Value: value, Usage: usage}
		if c, ok := f.Value.(choice); ok {
			d.Choices = c.values
		}
		described = append(described, d)
	})
	return described
}

// choice is a flag with fixed values.
type choice struct {
	values []string
	set    func(string) error
}

// Choice defines a flag with fixed values, which shells complete. set checks a value
// and stores it.
func Choice(flags *flag.FlagSet, name, usage string, values []string, set func(string) error) {
	flags.Var(choice{values, set}, name, usage)
}

// String returns nothing: a choice has no default to print.
func (c choice) String() string { return "" }

// Set stores a value.
func (c choice) Set(s string) error { return c.set(s) }
