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

// Pod pushes images and gives the kubelet a pod with a container of each. A pod
// on the host's network needs no other network.
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
	// The kubelet skips files with a dot in front.
	unfinished := filepath.Join(manifestsDir, "."+name)
	if err := writeFile(unfinished, manifest.String(), 0o644); err != nil {
		return err
	}
	return os.Rename(unfinished, filepath.Join(manifestsDir, name+".yaml"))
}

// PodOf pushes an image and gives the API server a pod with it, NAMESPACE/NAME,
// of a service account.
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

// fullName is NAMESPACE/NAME of a pod. One that comes from a directory is in
// default, and the kubelet names it after the node.
func fullName(pod string) string {
	if strings.Contains(pod, "/") {
		return pod
	}
	return "default/" + pod + "-" + nodeName
}

// Ready waits until pods are.
func (n *Node) Ready(ctx context.Context, names ...string) error {
	return n.await(ctx, strings.Join(names, ", ")+" ready", names, func(pod corev1.Pod) error {
		for _, c := range pod.Status.Conditions {
			if c.Type == corev1.PodReady && c.Status == corev1.ConditionTrue {
				return nil
			}
		}
		return errors.New("not ready")
	})
}

// Waiting waits until a container of each pod waits for that reason, and a text
// is in its message.
func (n *Node) Waiting(ctx context.Context, reason, text string, names ...string) error {
	return n.await(ctx, strings.Join(names, ", ")+" in "+reason, names, func(pod corev1.Pod) error {
		for _, c := range pod.Status.ContainerStatuses {
			if w := c.State.Waiting; w != nil && w.Reason == reason && strings.Contains(w.Message, text) {
				return nil
			}
		}
		return fmt.Errorf("not in %s with %q", reason, text)
	})
}

// await waits until pods are as wanted.
func (n *Node) await(ctx context.Context, what string, names []string, wanted func(corev1.Pod) error) error {
	return poll(ctx, what, func() error {
		pods, err := n.pods(ctx)
		if err != nil {
			return n.kubelet.orEnded(err)
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

// describe is a pod's state as its user sees it.
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
