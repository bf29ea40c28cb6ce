// Command ecr-cross-account-credential-provider is an image credential provider
// for kubelets: it gives credentials for images in Amazon ECR registries of
// other AWS accounts, by the roles that its configuration names.
package main

import (
	"cmp"
	"context"
	"io"
	"log" //nolint:depguard // to silence it: net/http logs unexpected responses of servers
	"math/rand/v2"
	"os"
	"os/signal"
	"syscall"
	"time"

	"ecr-cross-account-credential-provider/pkg/cache"
	"ecr-cross-account-credential-provider/pkg/cli"
)

// version is set by the linker.
var version = "unknown"

// Tests have a configuration, a cache, a journal and a clock of their own. The
// linker can set the first three.
var (
	configuration  string // defaultConfig's, if it is empty
	cacheDirectory = defaultCache
	journal        = journalSocket
	now            = time.Now
	boot           cache.Boot // the system's, if it is empty
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	signal.Ignore(syscall.SIGPIPE) // a closed stdout is an error like any other
	log.SetOutput(io.Discard)
	stderr := os.Stderr
	if null, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0); err == nil {
		// No child process may inherit the real stderr: the kubelet waits until
		// everybody has closed it.
		os.Stderr = null
	}
	hostname, err := os.Hostname()
	if err != nil {
		hostname = "unknown-host"
	}
	os.Exit(cli.Main(ctx, cli.Process{ //nolint:gocritic // nothing is left to clean up
		Args:           os.Args[1:],
		Stdin:          os.Stdin,
		Stdout:         os.Stdout,
		Stderr:         stderr,
		Getenv:         os.Getenv,
		Version:        version,
		Terminal:       isTerminal(os.Stdin),
		StderrTerminal: isTerminal(stderr),
		DefaultConfig:  cmp.Or(configuration, defaultConfig()),
		DefaultCache:   cacheDirectory,
		Journal:        journal,
		Environ:        os.Environ,
		Hostname:       hostname,
		Now:            now,
		Boot:           boot,
		Random:         rand.Float64,
	}))
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
