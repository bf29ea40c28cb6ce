// Command ecr-cross-account-credential-provider is an image credential provider for
// kubelets: it returns credentials for images in Amazon ECR registries of other AWS
// accounts. It assumes the roles that its configuration names.
package main

import (
	"cmp"
	"os"
	"time"

	"ecr-cross-account-credential-provider/cmd/internal/process"
	"ecr-cross-account-credential-provider/pkg/awsapi"
	"ecr-cross-account-credential-provider/pkg/cache"
	"ecr-cross-account-credential-provider/pkg/cli"
)

// Tests set their own configuration, cache, journal, patience and clock. The linker can
// set the first four.
var (
	configuration  string // the platform's if empty
	cacheDirectory = process.DefaultCache
	journal        = process.Journal
	patience       string // with each part of a call to AWS, such as 1m; the default if empty
	now            = time.Now
	boot           cache.Boot // the system's if empty
)

func main() {
	ctx, stop := process.Context()
	defer stop()
	p := process.Current()
	p.DefaultConfig = cmp.Or(configuration, p.DefaultConfig)
	p.DefaultCache, p.Journal, p.Now, p.Boot = cacheDirectory, journal, now, boot
	if limit, err := time.ParseDuration(patience); err == nil {
		p.Timeouts = awsapi.DefaultTimeouts().Patient(limit)
	}
	if null, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0); err == nil {
		// No child process may inherit the real stderr, because the kubelet waits
		// until all processes have closed it.
		os.Stderr = null
	}
	os.Exit(cli.Main(ctx, p)) //nolint:gocritic // nothing is left to clean up
}
