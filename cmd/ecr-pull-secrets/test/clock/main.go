// Command clock is ecr-pull-secrets with another clock. The clock stands still. Each
// SIGUSR1 advances it by an hour, and each SIGUSR2 by ten minutes. TestFootprint and a
// case of test/node run this command.
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
	steps := make(chan os.Signal, 1)
	signal.Notify(steps, syscall.SIGUSR1, syscall.SIGUSR2)
	go func() {
		for s := range steps {
			step := time.Hour
			if s == syscall.SIGUSR2 {
				step = 10 * time.Minute
			}
			clock.Step(step)
		}
	}()
	ctx, stop := process.Context()
	defer stop()
	os.Exit(app.Main(ctx, process.Current(), clock)) //nolint:gocritic // nothing is left to clean up
}
