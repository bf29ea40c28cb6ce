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

// Tests have a cache, a journal and a clock of their own.
var (
	cacheDirectory = defaultCache
	journal        = journalSocket
	now            = time.Now
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	log.SetOutput(io.Discard)
	stderr := os.Stderr
	if null, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0); err == nil {
		// The SDK gives it to the credential_process of a source_profile, and
		// whoever holds a kubelet's stderr holds the kubelet.
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
		DefaultConfig:  defaultConfig(),
		DefaultCache:   cacheDirectory,
		Journal:        journal,
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
