// Package doctor examines a node: whether its pulls from Amazon ECR work, and if
// not, why and what is missing. It does what the kubelet, the plugin and the container
// runtime would do, step by step, with the packages that the plugin has. It changes
// nothing, and keeps no token.
package doctor

import (
	"context"
	"net"
	"time"

	"ecr-cross-account-credential-provider/pkg/command"
	"ecr-cross-account-credential-provider/pkg/config"
	"ecr-cross-account-credential-provider/pkg/diagnosis"
	kubeletapi "ecr-cross-account-credential-provider/pkg/kubelet"
	"ecr-cross-account-credential-provider/pkg/procfs"
)

// Limit is the time for all checks together.
const Limit = 55 * time.Second

// Doctor examines one node. Process, Load and Dial are required.
type Doctor struct {
	Process command.Process
	// Load reads the plugin's configuration. args are those of the plugin's entry. Files
	// are below root. The process has the environment of the plugin by then.
	Load func(args []string, root string) (config.Config, error)
	// Execute runs a program and returns what it prints.
	Execute func(ctx context.Context, path string, args ...string) (string, error)
	// Proc is where running programs are found.
	Proc procfs.FS
	// Unprivileged means that this process may not look at others.
	Unprivileged bool
	// KubeletConfig and BinDir name the kubelet's configuration of plugins and their
	// directory, in place of those of the running kubelet.
	KubeletConfig, BinDir string
	// Dial connects to the registry and to S3 as the container runtime would.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
	// Pod is the service account to examine for; nil is the node alone.
	Pod *Pod
	// ProbeExternalID also tries each role without its external ID.
	ProbeExternalID bool
	// Import lets the registry checks make ECR import an image.
	Import bool
	// Architecture is that of the node's images, such as arm64.
	Architecture string
}

// Pod is the service account of a pod.
type Pod struct {
	// Name is NAMESPACE/NAME.
	Name string
	kubeletapi.ServiceAccount
}

// Run makes all checks, for images or, without any, for each entry of the
// configuration. It puts the results into the report.
func (d Doctor) Run(ctx context.Context, images []string, report *diagnosis.Report) {
	ctx, cancel := context.WithTimeout(ctx, Limit)
	defer cancel()
	e := &examination{Doctor: d, report: report}
	e.findKubelet(ctx)
	e.readProviders(ctx)
	e.findEntry(ctx)
	e.loadConfiguration()
	e.checkPatterns(ctx, images)
	e.checkTokens(ctx, images)
	e.checkMirrors(ctx)
	e.checkLoaded(ctx)
	e.configured(ctx)
	e.planned(ctx, images)
	e.cached(ctx)
	e.connected(ctx)
	e.timed(ctx)
	e.identified(ctx)
	e.reached(ctx)
	for _, s := range e.subjects {
		e.pulled(ctx, s)
	}
}

// examination is a run of all checks. Its checks that others need are kept.
type examination struct {
	Doctor
	report *diagnosis.Report

	kubelet   kubelet
	config    config.Config
	configErr error
	aws       awsState
	subjects  []*subject
	network   network

	configuration, settings, credentials *diagnosis.Check
}

// do runs a check.
func (e *examination) do(ctx context.Context, c *diagnosis.Check) *diagnosis.Check {
	return e.report.Do(ctx, c)
}
