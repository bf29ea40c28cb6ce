// Package cli is the command line: what the kubelet calls, and the commands for
// people.
package cli

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"ecr-cross-account-credential-provider/pkg/cache"
	"ecr-cross-account-credential-provider/pkg/printable"
)

// Name is the program's name in messages, whatever the file is called.
const Name = "ecr-cross-account-credential-provider"

// Process is what the program gets from its process.
type Process struct {
	Args    []string // without the program's name
	Stdin   io.Reader
	Stdout  io.Writer
	Stderr  io.Writer
	Getenv  func(string) string
	Version string
	// Terminal reports whether Stdin is a terminal, and StderrTerminal whether
	// Stderr is.
	Terminal, StderrTerminal bool
	// DefaultConfig is the configuration's path if none is named. The file need not
	// exist.
	DefaultConfig string
	// DefaultCache is the cache's directory if none is named; empty is no cache.
	DefaultCache string
	// Journal is the socket of the journal, which need not exist; empty is none.
	Journal string
	// Environ is the environment, NAME=VALUE.
	Environ  func() []string
	Hostname string
	Now      func() time.Time
	Boot     cache.Boot // the system's, if it is empty
	Random   func() float64
}

// Exit statuses.
const (
	failed       = 1
	misused      = 2 // usage or configuration
	foundProblem = 3 // a check found problems
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

// kubelets is the command that the kubelet calls, and the default.
const kubelets = "get-credentials"

// commands returns the commands in the order of help.
func commands() []command {
	return []command{
		{kubelets, "", "serve the kubelet: a request on stdin, the response on stdout (the default)", getCredentials},
		{"validate", "[--no-permissions] [FILE|-]", "check a configuration: print ok, or every problem and exit 3", validate},
		{"explain", "[--own ACCOUNT] [--output json] IMAGE", "say what would be done for an image, without calling AWS", explain},
		{"cache", "list|clear", "list what the node's processes share (no tokens), or remove it", caches},
		{"version", "", "print the version", version},
		{"help", "", "print this help", help},
	}
}

// Main runs the program and returns its exit status. An error is one line on
// stderr.
func Main(ctx context.Context, p Process) int {
	p.Stderr = &impatientWriter{to: p.Stderr}
	c, err := run(ctx, p)
	if err == nil {
		return 0
	}
	if !errors.Is(err, errSilent) {
		p.report(err, c.name)
	}
	var exit *exitError
	if errors.As(err, &exit) {
		return exit.status
	}
	return failed
}

// maxLine is the longest line: a kubelet puts it into one value of its log.
const maxLine = 4000

// report writes an error as the last thing on stderr. For a kubelet the line does
// not end with a line break: its log shows a text with one as a block of several
// lines.
func (p Process) report(err error, command string) {
	line := Name + ": " + printable.Line(err.Error(), maxLine)
	if p.StderrTerminal || command != kubelets {
		line += "\n"
	}
	_, _ = io.WriteString(p.Stderr, line)
}

// run runs the command that the arguments name, and returns it.
func run(ctx context.Context, p Process) (command, error) {
	c := commands()[0]
	if len(p.Args) == 0 && p.Terminal {
		_, _ = io.WriteString(p.Stderr, usage(p.DefaultConfig))
		return c, &exitError{misused, errSilent}
	}
	o, args, err := parseFlags(p, options{}, "", p.Args)
	if err != nil {
		return c, err
	}
	if len(args) > 0 {
		i := slices.IndexFunc(commands(), func(c command) bool { return c.name == args[0] })
		if i < 0 {
			return c, usageError("unknown command %q; for the list of commands, run: %s help", printable.Short(args[0]), Name)
		}
		c = commands()[i]
		if o, args, err = parseFlags(p, o, c.name, args[1:]); err != nil {
			return c, err
		}
	}
	if c.name == kubelets { // which ends by itself, and says where it was
		return c, c.run(ctx, p, o, args)
	}
	return c, untilSignal(ctx, func() error { return c.run(ctx, p, o, args) })
}

// untilSignal runs a command for people until it ends or a signal comes.
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

// parseFlags parses the flags before the first other argument. Flags may stand
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
		return o, nil, usageError("%w; for the flags, run: %s help", err, Name)
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
		fmt.Fprintf(&s, "  %-46s %s\n", strings.TrimSpace(c.name+" "+c.args), c.summary)
	}
	s.WriteString("\nThe configuration is that of --config, else of $" + configVariable + ", else\n" + defaultConfig +
		" if it exists.\nWithout one the program does what the stock ecr-credential-provider does.\n" +
		"Exit status: 0 success, 1 failure, 2 usage or configuration error, 3 a check found problems.\n")
	return s.String()
}
