// Command ecr-cross-account is the operator's tool for the plugin
// ecr-cross-account-credential-provider.
package main

import (
	"os"

	"ecr-cross-account-credential-provider/cmd/internal/process"
	"ecr-cross-account-credential-provider/pkg/operator"
)

func main() {
	ctx, stop := process.Context()
	defer stop()
	os.Exit(operator.Main(ctx, process.Current())) //nolint:gocritic // nothing is left to clean up
}
