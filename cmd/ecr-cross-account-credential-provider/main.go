// Command ecr-cross-account-credential-provider is an image credential provider
// for kubelets: it gives credentials for images in Amazon ECR registries of
// other AWS accounts, by the roles that its configuration names.
package main

import (
	"context"
	"io"
	"log" //nolint:depguard // to silence it: net/http writes to it what servers say out of turn
	"math/rand/v2"
	"os"
	"os/signal"
	"syscall"
	"time"

	"ecr-cross-account-credential-provider/pkg/cli"
)

// version is set by the linker.
var version = "unknown"

// Tests have a cache and a clock of their own.
var (
	cacheDirectory = defaultCache
	now            = time.Now
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	log.SetOutput(io.Discard)
	hostname, err := os.Hostname()
	if err != nil {
		hostname = "unknown-host"
	}
	os.Exit(cli.Main(ctx, cli.Process{ //nolint:gocritic // nothing is left to clean up
		Args:           os.Args[1:],
		Stdin:          os.Stdin,
		Stdout:         os.Stdout,
		Stderr:         os.Stderr,
		Getenv:         os.Getenv,
		Version:        version,
		Terminal:       isTerminal(os.Stdin),
		StderrTerminal: isTerminal(os.Stderr),
		DefaultConfig:  defaultConfig(),
		DefaultCache:   cacheDirectory,
		Environ:        os.Environ,
		Hostname:       hostname,
		Now:            now,
		Random:         rand.Float64,
	}))
}

// isTerminal tells a terminal from a pipe, a file and /dev/null.
func isTerminal(f *os.File) bool {
	info, err := f.Stat()
	if err != nil || info.Mode()&os.ModeCharDevice == 0 {
		return false
	}
	null, err := os.Stat(os.DevNull)
	return err != nil || !os.SameFile(info, null)
}
