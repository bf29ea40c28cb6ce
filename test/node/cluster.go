package main

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"ecr-cross-account-credential-provider/pkg/rule"
)

// Apply creates the objects in these manifests of the repository.
func (n *Node) Apply(ctx context.Context, names ...string) error {
	for _, name := range names {
		manifest, err := document(name)
		if err != nil {
			return err
		}
		if err := n.api.apply(ctx, manifest); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	return nil
}

// Namespace makes a namespace.
func (n *Node) Namespace(ctx context.Context, name string) error {
	return n.api.apply(ctx, "apiVersion: v1\nkind: Namespace\nmetadata: {name: "+name+"}\n")
}

// Team makes a namespace with a service account named "app". Unless role is empty, an
// annotation of the service account names the role.
func (n *Node) Team(ctx context.Context, namespace, role string) error {
	annotations := ""
	if role != "" {
		annotations = fmt.Sprintf("%s: %q", rule.DefaultRoleAnnotation, role)
	}
	if err := n.Namespace(ctx, namespace); err != nil {
		return err
	}
	return n.api.apply(ctx, fmt.Sprintf(`apiVersion: v1
kind: ServiceAccount
metadata: {name: app, namespace: %s, annotations: {%s}}
`, namespace, annotations))
}

// PublicEvent waits until the API server has an event of a namespace that contains a
// text.
func (n *Node) PublicEvent(ctx context.Context, namespace, text string) error {
	return poll(ctx, "an event shows "+text, func() error {
		events, err := n.api.events(ctx, namespace)
		if err == nil && !slices.ContainsFunc(events, func(e string) bool { return strings.Contains(e, text) }) {
			err = fmt.Errorf("events are %q", events)
		}
		return n.api.process.orEnded(err)
	})
}
