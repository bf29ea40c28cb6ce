// Command ecr-cross-account is the operator's tool for the plugin
// ecr-cross-account-credential-provider.
package main

import (
	"os"

	"ecr-cross-account-credential-provider/cmd/internal/process"
	"ecr-cross-account-credential-provider/pkg/operator"
)

// version is set by the linker.
var version = "unknown"

func main() {
	ctx, stop := process.Context()
	defer stop()
	os.Exit(operator.Main(ctx, process.Current(version))) //nolint:gocritic // nothing is left to clean up
}
