// Command ecr-pull-secrets keeps a pull Secret fresh in each selected namespace of a
// cluster. It is for clusters in which no image credential provider can be installed on
// the nodes.
package main

import (
	"os"

	"k8s.io/utils/clock"

	"ecr-cross-account-credential-provider/cmd/ecr-pull-secrets/internal/app"
	"ecr-cross-account-credential-provider/cmd/internal/process"
)

func main() {
	ctx, stop := process.Context()
	defer stop()
	os.Exit(app.Main(ctx, process.Current(), clock.RealClock{})) //nolint:gocritic // nothing is left to clean up
}
