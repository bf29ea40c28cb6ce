// Package process connects the programs to the operating system. Besides their main
// functions it is the only code that touches the process.
package process

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log" //nolint:depguard // to silence it: net/http logs unexpected responses of servers
	"math/rand/v2"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"ecr-cross-account-credential-provider/pkg/command"
)

// Context returns a context that ends on a signal. A second signal kills the process,
// so a slow cleanup can be stopped. A terminal that closes sends SIGHUP, perhaps twice.
// Context ignores it, so that it ends no work halfway. Context also turns writing to a
// closed stdout into an ordinary error, and silences package log.
func Context() (context.Context, context.CancelFunc) {
	signal.Ignore(syscall.SIGPIPE, syscall.SIGHUP)
	log.SetOutput(io.Discard)
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop)
	return ctx, stop
}

// Current returns this process, with the defaults of its platform.
func Current() command.Process {
	hostname, err := os.Hostname()
	if err != nil {
		hostname = "unknown-host"
	}
	return command.Process{
		Args:           os.Args[1:],
		Stdin:          os.Stdin,
		Stdout:         os.Stdout,
		Stderr:         os.Stderr,
		Getenv:         os.Getenv,
		Setenv:         os.Setenv,
		Version:        command.Release(),
		Executable:     os.Executable,
		Terminal:       isTerminal(os.Stdin),
		StdoutTerminal: isTerminal(os.Stdout),
		StderrTerminal: isTerminal(os.Stderr),
		DefaultConfig:  DefaultConfig(),
		DefaultCache:   DefaultCache,
		Journal:        Journal,
		Environ:        os.Environ,
		SetEnviron:     setEnviron,
		Hostname:       hostname,
		Now:            time.Now,
		Random:         rand.Float64,
	}
}

// setEnviron replaces the environment. If a variable has two values, the last one
// counts.
func setEnviron(environ []string) error {
	os.Clearenv()
	var errs []error
	for _, variable := range environ {
		name, value, _ := strings.Cut(variable, "=")
		if err := os.Setenv(name, value); err != nil {
			errs = append(errs, fmt.Errorf("setting the variable %q: %w", name, err))
		}
	}
	return errors.Join(errs...)
}

// isTerminal reports whether f is a terminal, not a pipe, a file or /dev/null.
func isTerminal(f *os.File) bool {
	info, err := f.Stat()
	if err != nil || info.Mode()&os.ModeCharDevice == 0 {
		return false
	}
	null, err := os.Stat(os.DevNull)
	return err != nil || !os.SameFile(info, null)
}
