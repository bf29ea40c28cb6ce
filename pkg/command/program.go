// Package command is the part that the project's programs share: commands, flags,
// help, exit statuses, and access to the process.
package command

import (
	"context"
	"errors"
	"flag"
	"io"
	"slices"

	"ecr-cross-account-credential-provider/pkg/printable"
	"ecr-cross-account-credential-provider/pkg/spelling"
)

// Program is a command line.
type Program struct {
	Name string
	// Summary says in one sentence what the program is for.
	Summary string
	// Synopsis shows the flags that may stand before a command's name.
	Synopsis string
	// Flags defines the flags that may also stand before a command's name. Nil means
	// none. The commands that take them define them in New, too. So a definition
	// must not reset a value that is already set.
	Flags func(*flag.FlagSet)
	// Commands are all commands except help, in the order of the help text.
	Commands []Command
	// Default runs if the arguments name no command. Without any arguments, it runs
	// only if stdin is not a terminal. The zero value runs nothing.
	Default Command
	// Notes are the end of the help text.
	Notes string
}

// Command is one word of the command line and what it does.
type Command struct {
	// Name is the word. Args shows what follows it.
	Name, Args string
	// Summary says in a short phrase what the command does.
	Summary string
	// Example is a call of the command without the program's name, for its help.
	Example string
	// New defines the command's flags and returns what the command does.
	New func(*flag.FlagSet) Run
	// ForPrograms marks a command that a program calls. It handles signals itself,
	// and its error has no final newline unless stderr is a terminal.
	ForPrograms bool
	// EndsItself marks a command for people that restores files after a signal, and then
	// ends. Main waits for its end. Main does not wait for other commands.
	EndsItself bool
}

// Run executes a command. The arguments are those besides the flags.
type Run func(ctx context.Context, p Process, args []string) error

// Main runs the program and returns its exit status. It writes an error as one line
// to stderr.
func (pr Program) Main(ctx context.Context, p Process) int {
	p.Program, p.Stderr = pr.Name, &impatientWriter{to: p.Stderr}
	c, err := pr.run(ctx, p)
	if err != nil && !errors.Is(err, errReported) {
		p.report(err, c.ForPrograms)
	}
	return statusOf(err)
}

// AllCommands returns Commands and help.
func (pr Program) AllCommands() []Command {
	return append(pr.Commands[:len(pr.Commands):len(pr.Commands)], Command{
		Name: "help", Args: "[COMMAND]", Summary: "print this help, or that of a command", Example: "help " + pr.Commands[0].Name,
		New: func(*flag.FlagSet) Run { return pr.help },
	})
}

// run runs the command that the arguments name, and returns it.
func (pr Program) run(ctx context.Context, p Process) (Command, error) {
	if len(p.Args) == 0 && (p.Terminal || pr.Default.Name == "") {
		_, _ = io.WriteString(p.Stderr, pr.usage())
		return pr.Default, Reported(Misused)
	}
	c, leading, args, err := pr.choose(p)
	if err != nil {
		return c, err
	}
	flags := newFlags(c.Name)
	run := c.New(flags)
	if err := pr.refuse(c, leading, flags); err != nil {
		return c, err
	}
	rest, err := parse(flags, args)
	switch {
	case errors.Is(err, flag.ErrHelp):
		_, err := io.WriteString(p.Stdout, pr.commandUsage(c))
		return c, err
	case err != nil:
		return c, UsageError("%w; for the flags, run: %s help %s", err, pr.Name, c.Name)
	case c.ForPrograms || c.EndsItself:
		return c, run(ctx, p, rest)
	}
	return c, untilSignal(ctx, func() error { return run(ctx, p, rest) })
}

// choose parses the flags before the command's name. It returns the command, these
// flags, and the arguments after the name.
func (pr Program) choose(p Process) (c Command, leading *flag.FlagSet, args []string, err error) {
	leading = newFlags(pr.Name)
	if pr.Flags != nil {
		pr.Flags(leading)
	}
	version := leading.Bool("version", false, "print the version")
	switch err := leading.Parse(p.Args); {
	case errors.Is(err, flag.ErrHelp):
		_, _ = io.WriteString(p.Stdout, pr.usage())
		return pr.Default, nil, nil, Reported(0)
	case err != nil:
		return pr.Default, nil, nil, UsageError("%w; for the flags, run: %s help", err, pr.Name)
	}
	name, args := pr.Default.Name, leading.Args()
	switch {
	case *version:
		name = "version"
	case len(args) > 0:
		name, args = args[0], args[1:]
	case name == "":
		return pr.Default, nil, nil, UsageError("no command; for the list of commands, run: %s help", pr.Name)
	}
	c, err = pr.command(name)
	return c, leading, args, err
}

// command returns the command of a name.
func (pr Program) command(name string) (Command, error) {
	commands := pr.AllCommands()
	names := make([]string, len(commands))
	for i, c := range commands {
		names[i] = c.Name
	}
	if i := slices.Index(names, name); i >= 0 {
		return commands[i], nil
	}
	return pr.Default, UsageError("unknown command %q%s; for the list of commands, run: %s help",
		printable.Short(name), spelling.DidYouMean(name, names), pr.Name)
}

// untilSignal runs a command for people until it ends or a signal arrives.
func untilSignal(ctx context.Context, run func() error) error {
	done := make(chan error, 1)
	go func() { done <- run() }()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		return errors.New("stopped by a signal")
	}
}
