// Command ecr-cross-account-credential-provider is an image credential provider
// for kubelets: it gives credentials for images in Amazon ECR registries of
// other AWS accounts, by the roles that its configuration names.
package main

import (
	"context"
	"math/rand/v2"
	"os"
	"os/signal"
	"syscall"
	"time"

	"ecr-cross-account-credential-provider/pkg/cli"
)

// version is set by the linker.
var version = "unknown"

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
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
		Hostname:       hostname,
		Now:            time.Now,
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
