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
	"ecr-cross-account-credential-provider/pkg/kubelet"
)

// Limit is the time for all checks together.
const Limit = 55 * time.Second

// Doctor examines one node. Process, Load and Dial are required.
type Doctor struct {
	Process command.Process
	// Load reads the plugin's configuration. The process has the environment of the
	// kubelet by then.
	Load func() (config.Config, error)
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
	kubelet.ServiceAccount
}

// Run makes all checks, for images or, without any, for each entry of the
// configuration. It puts the results into the report.
func (d Doctor) Run(ctx context.Context, images []string, report *diagnosis.Report) {
	ctx, cancel := context.WithTimeout(ctx, Limit)
	defer cancel()
	e := &examination{Doctor: d, report: report}
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

	config   config.Config
	aws      awsState
	subjects []*subject
	network  network

	configuration, settings, credentials *diagnosis.Check
}

// do runs a check.
func (e *examination) do(ctx context.Context, c *diagnosis.Check) *diagnosis.Check {
	return e.report.Do(ctx, c)
}
