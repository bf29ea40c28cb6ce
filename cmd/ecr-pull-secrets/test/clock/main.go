// Command clock is ecr-pull-secrets with another clock: it stands still, and goes an
// hour ahead with each SIGUSR1. Tests of whole days run it.
package main

import (
	"os"
	"os/signal"
	"syscall"
	"time"

	testclock "k8s.io/utils/clock/testing"

	"ecr-cross-account-credential-provider/cmd/ecr-pull-secrets/internal/app"
	"ecr-cross-account-credential-provider/cmd/internal/process"
)

func main() {
	clock := testclock.NewFakeClock(time.Now())
	hours := make(chan os.Signal, 1)
	signal.Notify(hours, syscall.SIGUSR1)
	go func() {
		for range hours {
			clock.Step(time.Hour)
		}
	}()
	ctx, stop := process.Context()
	defer stop()
	os.Exit(app.Main(ctx, process.Current(), clock)) //nolint:gocritic // nothing is left to clean up
}
