package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// pulls returns the steps of a case with one pod and one image.
func pulls(image, principal string) func(context.Context, *Node) error {
	return func(ctx context.Context, n *Node) error {
		if err := n.StartKubelet(ctx); err != nil {
			return err
		}
		return n.Pulls(ctx, "app", image, principal)
	}
}

// Pulls starts a pod, waits until it is ready, and checks whose token pulled its
// image.
func (n *Node) Pulls(ctx context.Context, pod, image, principal string) error {
	if err := n.Pod(ctx, pod, image); err != nil {
		return err
	}
	if err := n.Ready(ctx, pod); err != nil {
		return err
	}
	return n.PulledBy(image, principal)
}

// PulledBy returns an error unless exactly these principals have pulled an image,
// in this order.
func (n *Node) PulledBy(image string, principals ...string) error {
	var handed []string
	for _, a := range n.manifestsOf(image) {
		if a.status < 400 {
			handed = append(handed, a.principal)
		}
	}
	if handed = slices.Compact(handed); !slices.Equal(handed, principals) {
		return fmt.Errorf("%s was pulled by %q, want %q", image, handed, principals)
	}
	return nil
}

// manifestsOf returns the requests for an image's manifest so far.
func (n *Node) manifestsOf(image string) []access {
	host, rest, _ := strings.Cut(image, "/")
	repository, _, _ := strings.Cut(rest, ":")
	return slices.DeleteFunc(n.registries.manifests(host), func(a access) bool {
		return !strings.HasPrefix(a.path, "/v2/"+repository+"/")
	})
}

// RefusedTo returns an error unless the registry has refused a request for an image
// with a principal's token.
func (n *Node) RefusedTo(image, principal string) error {
	refused := slices.ContainsFunc(n.manifestsOf(image), func(a access) bool {
		return a.status == 403 && a.principal == principal
	})
	if !refused {
		return fmt.Errorf("%s was not refused to %s", image, principal)
	}
	return nil
}

// SaidInOneLine returns an error unless a line of the kubelet's log has the plugin's
// exit status and the texts. It also returns an error if the plugin ever wrote more
// than one line.
func (n *Node) SaidInOneLine(status int, texts ...string) error {
	texts = append(texts, fmt.Sprintf("exit status %d: %s: ", status, pluginName))
	if len(n.KubeletLog(texts...)) == 0 {
		return fmt.Errorf("no line of the kubelet's log has all of %q", texts)
	}
	for _, run := range n.runs() {
		if strings.Count(run.Stderr, "\n") > 1 {
			return fmt.Errorf("more than a line on stderr: %q", run.Stderr)
		}
	}
	return nil
}

// NoEvent returns an error if an event contains a text.
func (n *Node) NoEvent(text string) error {
	for _, e := range n.events() {
		if strings.Contains(e, text) {
			return fmt.Errorf("unexpected event: %s", e)
		}
	}
	return nil
}

// steps runs steps one after another, until one fails.
func steps(all ...func() error) error {
	for _, step := range all {
		if err := step(); err != nil {
			return err
		}
	}
	return nil
}

var errUnexpected = errors.New("the step succeeded, want an error")
