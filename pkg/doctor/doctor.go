// Package doctor examines a node. It finds out whether pulls from Amazon ECR work,
// and if not, why and what is missing. It repeats the steps of the kubelet, the
// plugin and the container runtime, with the plugin's own packages. It changes
// nothing, and keeps no token.
package doctor

import (
	"cmp"
	"context"
	"net"
	"time"

	"ecr-cross-account-credential-provider/pkg/command"
	"ecr-cross-account-credential-provider/pkg/config"
	"ecr-cross-account-credential-provider/pkg/diagnosis"
	kubeletapi "ecr-cross-account-credential-provider/pkg/kubelet"
	"ecr-cross-account-credential-provider/pkg/procfs"
)

// Limits limit the time of the checks.
type Limits struct {
	// All limits all checks together, Call one call with its retries, and Host the
	// time for a host to answer.
	All, Call, Host time.Duration
}

var defaultLimits = Limits{All: 55 * time.Second, Call: 10 * time.Second, Host: 8 * time.Second}

// Doctor examines one node. Process, Load, Execute and Dial are required.
type Doctor struct {
	Process command.Process
	// Load reads the plugin's configuration. args are the arguments of the plugin's
	// entry. Files are below root. When it is called, the process has the plugin's
	// environment.
	Load func(args []string, root string) (config.Config, error)
	// Execute runs a program and returns what it prints.
	Execute func(ctx context.Context, path string, args ...string) (string, error)
	// Proc is the directory in which running programs are found, such as /proc.
	Proc procfs.FS
	// Unprivileged means that this process may not inspect other processes.
	Unprivileged bool
	// KubeletConfig and BinDir name the kubelet's configuration of providers and
	// their directory. They override those of the running kubelet.
	KubeletConfig, BinDir string
	// Dial connects to the registry and to S3 as the container runtime would.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
	// Pod is the service account whose pulls are examined. Nil means only the node's.
	Pod *Pod
	// ProbeExternalID says to also assume each role without its external ID.
	ProbeExternalID bool
	// Import allows registry checks that make ECR import an image.
	Import bool
	// Architecture is the architecture of the node's images, such as arm64.
	Architecture string
	// Limits are the default ones if zero.
	Limits Limits
}

// Pod is the service account of a pod.
type Pod struct {
	// Name is NAMESPACE/NAME.
	Name string
	kubeletapi.ServiceAccount
}

// Run runs all checks for the images. Without images, it runs them for each entry
// of the configuration. It adds the results to the report.
func (d Doctor) Run(ctx context.Context, images []string, report *diagnosis.Report) {
	d.Limits = cmp.Or(d.Limits, defaultLimits)
	ctx, cancel := context.WithTimeout(ctx, d.Limits.All)
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

// examination is a run of all checks. It keeps the checks that others need.
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
