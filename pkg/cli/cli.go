// Package cli is the command line: what the kubelet calls, and the commands for
// people.
package cli

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"strings"
	"time"

	"ecr-cross-account-credential-provider/pkg/printable"
)

// Name is the program's name in messages, whatever the file is called.
const Name = "ecr-cross-account-credential-provider"

// Process is what the program has of its process.
type Process struct {
	Args    []string // without the program's name
	Stdin   io.Reader
	Stdout  io.Writer
	Stderr  io.Writer
	Getenv  func(string) string
	Version string
	// Terminal tells whether a person types on Stdin, and StderrTerminal whether
	// one reads Stderr.
	Terminal, StderrTerminal bool
	// DefaultConfig is the configuration's path where none is named; it need
	// not be there.
	DefaultConfig string
	// DefaultCache is the folder of the cache where none is named; empty is none.
	DefaultCache string
	// Journal is the socket of the journal, which need not be there; empty is none.
	Journal string
	// Environ is the environment, NAME=VALUE.
	Environ  func() []string
	Hostname string
	Now      func() time.Time
	Random   func() float64
}

// Exit statuses.
const (
	failed       = 1
	misused      = 2 // usage or configuration
	foundProblem = 3 // a check did its work, and found something
)

// exitError is an error with the status that the program ends with.
type exitError struct {
	status int
	err    error
}

func (e *exitError) Error() string { return e.err.Error() }
func (e *exitError) Unwrap() error { return e.err }

// errSilent is an error that has been reported already.
var errSilent = errors.New("")

func usageError(format string, args ...any) error {
	return &exitError{misused, fmt.Errorf(format, args...)}
}

// command is one word of the command line and what it does. run gets the
// arguments after the flags.
type command struct {
	name, args, summary string
	run                 func(ctx context.Context, p Process, o options, args []string) error
}

// commands is a function, as help lists them.
func commands() []command {
	return []command{
		{"get-credentials", "", "answer the kubelet: a request on stdin, the response on stdout (the default)", getCredentials},
		{"validate", "[FILE]", "check a configuration: print ok, or every problem and exit 3", validate},
		{"explain", "[--own ACCOUNT] IMAGE", "say what would be done for an image, without asking AWS", explain},
		{"cache", "list|clear", "show what the node's processes share (no tokens), or remove it", caches},
		{"version", "", "print the version", version},
		{"help", "", "print this", help},
	}
}

// Main runs the program and returns its exit status. An error is one line on
// stderr.
func Main(ctx context.Context, p Process) int {
	err := run(ctx, p)
	if err == nil {
		return 0
	}
	if !errors.Is(err, errSilent) {
		p.report(err)
	}
	var exit *exitError
	if errors.As(err, &exit) {
		return exit.status
	}
	return failed
}

// maxLine is the length of a line at most: a kubelet puts it into one value of its
// log.
const maxLine = 4000

// report writes an error as the last thing on stderr. To a kubelet the line has
// no line break: its log shows a text with one as a block of several lines.
func (p Process) report(err error) {
	_, _ = fmt.Fprintf(p.Stderr, "%s: %s", Name, printable.Line(err.Error(), maxLine))
	if p.StderrTerminal {
		_, _ = fmt.Fprintln(p.Stderr)
	}
}

func run(ctx context.Context, p Process) error {
	if len(p.Args) == 0 && p.Terminal {
		_, _ = io.WriteString(p.Stderr, usage(p.DefaultConfig))
		return &exitError{misused, errSilent}
	}
	o, args, err := parseFlags(p, options{}, "", p.Args)
	if err != nil {
		return err
	}
	name := "get-credentials"
	if len(args) > 0 {
		name = args[0]
		if o, args, err = parseFlags(p, o, name, args[1:]); err != nil {
			return err
		}
	}
	for _, c := range commands() {
		if c.name == name {
			return c.run(ctx, p, o, args)
		}
	}
	return usageError("there is no command %q; to see which there are, run: %s help", printable.Short(name), Name)
}

// parseFlags takes the flags before the first other argument. They may stand
// before a command and after it.
func parseFlags(p Process, o options, command string, args []string) (options, []string, error) {
	flags := flag.NewFlagSet(Name, flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	o.register(flags, command)
	switch err := flags.Parse(args); {
	case errors.Is(err, flag.ErrHelp):
		_, _ = io.WriteString(p.Stdout, usage(p.DefaultConfig))
		return o, nil, &exitError{0, errSilent}
	case err != nil:
		return o, nil, usageError("%w; to see how it is used, run: %s help", err, Name)
	}
	return o, flags.Args(), nil
}

func help(_ context.Context, p Process, _ options, args []string) error {
	if len(args) > 0 {
		return usageError("help takes no arguments")
	}
	_, err := io.WriteString(p.Stdout, usage(p.DefaultConfig))
	return err
}

func version(_ context.Context, p Process, _ options, args []string) error {
	if len(args) > 0 {
		return usageError("version takes no arguments")
	}
	_, err := fmt.Fprintln(p.Stdout, Name, p.Version)
	return err
}

func usage(defaultConfig string) string {
	var s strings.Builder
	s.WriteString("Gives a kubelet credentials for images in Amazon ECR registries of other AWS accounts.\n\n")
	fmt.Fprintf(&s, "usage: %s [--config FILE] [--role ACCOUNT=ROLE_ARN]... [COMMAND] [ARGUMENTS]\n\n", Name)
	for _, c := range commands() {
		fmt.Fprintf(&s, "  %-30s %s\n", strings.TrimSpace(c.name+" "+c.args), c.summary)
	}
	s.WriteString("\nThe configuration is that of --config, else of $" + configVariable + ", else\n" + defaultConfig +
		" if it is there.\nWith none it does what the stock ecr-credential-provider does.\n" +
		"Exit status: 0 done, 1 failed, 2 usage or configuration, 3 a check found problems.\n")
	return s.String()
}
