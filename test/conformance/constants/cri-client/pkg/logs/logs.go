// Package logs has the two constants of k8s.io/cri-client/pkg/logs that packages of the
// kubelets use. The real package imports clients of container runtimes and of tracing,
// which take long to compile. The kubelet's code for plugins does not use the constants.
package logs

// RFC3339NanoFixed and RFC3339NanoLenient are copied from pkg/logs/logs.go of
// k8s.io/cri-client. They are the same in 0.33, 0.34 and 0.36.
const (
	RFC3339NanoFixed   = "2006-01-02T15:04:05.000000000Z07:00"
	RFC3339NanoLenient = "2006-01-02T15:04:05.999999999Z07:00"
)
