package app

import (
	"errors"
	"fmt"
	"os"
	"strings"

	"k8s.io/apimachinery/pkg/util/uuid"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"

	"ecr-cross-account-credential-provider/pkg/command"
)

// place is the cluster and this program's namespace.
type place struct {
	config    *rest.Config
	namespace string
}

// namespaceFile holds the namespace of a pod.
const namespaceFile = "/var/run/secrets/kubernetes.io/serviceaccount/namespace"

// place finds the cluster. It is the kubeconfig's cluster, or the one in which the
// program runs.
func (o *options) place() (place, error) {
	at, err := o.find()
	if err != nil {
		return place{}, &command.ExitError{Status: command.Misused, Err: err}
	}
	// 300 namespaces take a few seconds. The API server protects itself by its own
	// priority and fairness.
	at.config.QPS, at.config.Burst = 100, 200
	at.config.UserAgent = Name
	at.config.ContentType = "application/vnd.kubernetes.protobuf"
	at.config.AcceptContentTypes = "application/vnd.kubernetes.protobuf,application/json"
	return at, nil
}

func (o *options) find() (place, error) {
	if o.kubeconfig != "" {
		named := clientcmd.NewNonInteractiveDeferredLoadingClientConfig(&clientcmd.ClientConfigLoadingRules{ExplicitPath: o.kubeconfig}, &clientcmd.ConfigOverrides{})
		config, err := named.ClientConfig()
		if err != nil {
			return place{}, fmt.Errorf("reading --kubeconfig: %w", err)
		}
		namespace, _, err := named.Namespace()
		return place{config, namespace}, err
	}
	config, err := rest.InClusterConfig()
	if errors.Is(err, rest.ErrNotInCluster) {
		return place{}, errors.New("this is not a pod in a cluster; name the cluster with --kubeconfig")
	}
	if err != nil {
		return place{}, fmt.Errorf("reading the pod's service account: %w", err)
	}
	namespace, err := os.ReadFile(namespaceFile)
	if err != nil {
		return place{}, fmt.Errorf("reading the pod's namespace: %w", err)
	}
	return place{config, strings.TrimSpace(string(namespace))}, nil
}

// identity names this replica in the lease.
func identity(p command.Process) string { return p.Hostname + "_" + string(uuid.NewUUID()) }
