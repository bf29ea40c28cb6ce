package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"path/filepath"
	"strings"
	"syscall"

	corev1 "k8s.io/api/core/v1"
)

const (
	kubeletConfigPath   = "/etc/kubernetes/kubelet.yaml"
	providersConfigPath = "/etc/kubernetes/providers.yaml"
	providersConfigDir  = "/etc/kubernetes/providers.d"
	manifestsDir        = "/etc/kubernetes/manifests"
)

// kubeletConfig is the configuration of a kubelet that reads its pods from a directory,
// with or without an API server. Other settings protect the machine: no iptables, no
// eviction, a separate cgroup. The kubelet also starts on a machine with swap.
const kubeletConfig = `apiVersion: kubelet.config.k8s.io/v1beta1
kind: KubeletConfiguration
staticPodPath: ` + manifestsDir + `
authentication: {webhook: {enabled: false}, anonymous: {enabled: true}}
authorization: {mode: AlwaysAllow}
address: 127.0.0.1
readOnlyPort: 10255
containerRuntimeEndpoint: unix://` + containerdSocket + `
cgroupDriver: cgroupfs
cgroupRoot: /%s
failCgroupV1: false
failSwapOn: false
localStorageCapacityIsolation: false
makeIPTablesUtilChains: false
volumePluginDir: /var/lib/kubelet/volume-plugins
resolvConf: ""
registryPullQPS: 0
eventRecordQPS: 0
imageGCHighThresholdPercent: 100
evictionHard: {memory.available: 0%%, nodefs.available: 0%%, nodefs.inodesFree: 0%%, imagefs.available: 0%%, imagefs.inodesFree: 0%%}
`

// StartKubelet starts the kubelet, and waits until it is healthy.
func (n *Node) StartKubelet(ctx context.Context) error {
	if err := n.startKubelet(); err != nil {
		return err
	}
	return n.Healthy(ctx)
}

// Healthy waits until the kubelet is healthy.
func (n *Node) Healthy(ctx context.Context) error {
	return poll(ctx, "the kubelet is healthy", func() error {
		return n.orKubeletEnded(get(ctx, "http://127.0.0.1:10248/healthz", nil))
	})
}

func (n *Node) startKubelet() (err error) {
	if err := n.configureKubelet(); err != nil {
		return err
	}
	if n.systemd != nil {
		return n.systemd.Start()
	}
	n.kubelet, err = n.launchKubelet()
	return err
}

func (n *Node) configureKubelet() error {
	return writeFile(kubeletConfigPath, fmt.Sprintf(kubeletConfig, n.cgroup)+n.setup.Kubelet, 0o644)
}

// orKubeletEnded is like orEnded for the kubelet. If systemd runs the kubelet, it
// returns err, because systemd starts the kubelet again.
func (n *Node) orKubeletEnded(err error) error {
	if n.systemd != nil {
		return err
	}
	return n.kubelet.orEnded(err)
}

func (n *Node) launchKubelet() (*process, error) {
	args := []string{
		"--config=" + kubeletConfigPath,
		"--hostname-override=" + nodeName,
		"--v=3", // so that the log has events
	}
	config := providersConfigPath
	if n.setup.ProvidersDirectory {
		config = providersConfigDir
	}
	if !n.setup.NoPlugin {
		args = append(args, "--image-credential-provider-config="+config, "--image-credential-provider-bin-dir="+providersDir)
	}
	if n.api != nil {
		args = append(args, "--kubeconfig="+kubeconfigPath)
	}
	return start("kubelet", filepath.Join(binDir, "kubelet"), args...)
}

// StopKubelet ends the kubelet as systemd would. Its pods continue to run.
func (n *Node) StopKubelet(ctx context.Context) error {
	if err := n.kubelet.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		return fmt.Errorf("ending the kubelet: %w", err)
	}
	select {
	case <-n.kubelet.ended:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("waiting until the kubelet has ended: %w", context.Cause(ctx))
	}
}

// pods returns the kubelet's list of its pods.
func (n *Node) pods(ctx context.Context) ([]corev1.Pod, error) {
	var list corev1.PodList
	err := get(ctx, "http://127.0.0.1:10255/pods", &list)
	return list.Items, err
}

// KubeletLog returns the lines of the kubelet's log that contain all of the texts.
func (n *Node) KubeletLog(texts ...string) []string {
	return matchingLines(logOf("kubelet"), func(line string) bool {
		for _, text := range texts {
			if !strings.Contains(line, text) {
				return false
			}
		}
		return true
	})
}

func get(ctx context.Context, url string, into any) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close() //nolint:errcheck // the body is only read
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("%s: %s", url, resp.Status)
	}
	if into == nil {
		return nil
	}
	return json.NewDecoder(resp.Body).Decode(into)
}
