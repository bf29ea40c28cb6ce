package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
)

// Pod pushes images, and gives the kubelet a pod with a container for each. The pod
// uses the host's network, so the node needs no pod network.
func (n *Node) Pod(ctx context.Context, name string, images ...string) error {
	var manifest strings.Builder
	fmt.Fprintf(&manifest, `apiVersion: v1
kind: Pod
metadata: {name: %s, namespace: default}
spec:
  hostNetwork: true
  terminationGracePeriodSeconds: 1
  containers:
`, name)
	for i, image := range images {
		if err := n.registries.push(ctx, n.baker, image); err != nil {
			return err
		}
		fmt.Fprintf(&manifest, "  - {name: c%d, image: %q}\n", i, image)
	}
	// The kubelet ignores files whose names start with a dot.
	unfinished := filepath.Join(manifestsDir, "."+name)
	if err := writeFile(unfinished, manifest.String(), 0o644); err != nil {
		return err
	}
	return os.Rename(unfinished, filepath.Join(manifestsDir, name+".yaml"))
}

// PodOf pushes an image, and creates a pod with it in the API server. The pod is
// NAMESPACE/NAME and has a service account.
func (n *Node) PodOf(ctx context.Context, pod, serviceAccount, image string) error {
	if err := n.registries.push(ctx, n.baker, image); err != nil {
		return err
	}
	namespace, name, _ := strings.Cut(pod, "/")
	return n.api.apply(ctx, fmt.Sprintf(`apiVersion: v1
kind: Pod
metadata: {name: %s, namespace: %s}
spec:
  nodeName: `+nodeName+`
  hostNetwork: true
  terminationGracePeriodSeconds: 1
  serviceAccountName: %s
  automountServiceAccountToken: false
  containers:
  - {name: c0, image: %q}
`, name, namespace, serviceAccount, image))
}

// fullName returns NAMESPACE/NAME of a pod. A pod from a directory is in namespace
// default, and the kubelet appends the node's name.
func fullName(pod string) string {
	if strings.Contains(pod, "/") {
		return pod
	}
	return "default/" + pod + "-" + nodeName
}

// Ready waits until pods are ready.
func (n *Node) Ready(ctx context.Context, names ...string) error {
	return n.await(ctx, strings.Join(names, ", ")+" are ready", names, func(pod corev1.Pod) error {
		for _, c := range pod.Status.Conditions {
			if c.Type == corev1.PodReady && c.Status == corev1.ConditionTrue {
				return nil
			}
		}
		return errors.New("not ready")
	})
}

// Waiting waits until each pod has a container in state waiting, with this reason and
// with this text in its message.
func (n *Node) Waiting(ctx context.Context, reason, text string, names ...string) error {
	return n.await(ctx, strings.Join(names, ", ")+" are in "+reason, names, func(pod corev1.Pod) error {
		for _, c := range pod.Status.ContainerStatuses {
			if w := c.State.Waiting; w != nil && w.Reason == reason && strings.Contains(w.Message, text) {
				return nil
			}
		}
		return fmt.Errorf("not in %s with %q", reason, text)
	})
}

// await waits until a condition is true for all pods.
func (n *Node) await(ctx context.Context, what string, names []string, wanted func(corev1.Pod) error) error {
	return poll(ctx, what, func() error {
		pods, err := n.pods(ctx)
		if err != nil {
			return n.orKubeletEnded(err)
		}
		var errs []error
		for _, name := range names {
			i := slices.IndexFunc(pods, func(p corev1.Pod) bool { return p.Namespace+"/"+p.Name == fullName(name) })
			if i < 0 {
				errs = append(errs, fmt.Errorf("pod %s: the kubelet has none", name))
			} else if err := wanted(pods[i]); err != nil {
				errs = append(errs, fmt.Errorf("pod %s: %w: %s", name, err, describe(pods[i])))
			}
		}
		return errors.Join(errs...)
	})
}

// describe returns a pod's state as its user sees it.
func describe(pod corev1.Pod) string {
	parts := []string{string(pod.Status.Phase)}
	for _, c := range pod.Status.ContainerStatuses {
		switch state := c.State; {
		case state.Waiting != nil:
			parts = append(parts, fmt.Sprintf("%s: %s %s", c.Name, state.Waiting.Reason, state.Waiting.Message))
		case state.Terminated != nil:
			parts = append(parts, fmt.Sprintf("%s: ended with %d", c.Name, state.Terminated.ExitCode))
		case state.Running != nil:
			parts = append(parts, c.Name+": running")
		}
	}
	return strings.Join(parts, ", ")
}
