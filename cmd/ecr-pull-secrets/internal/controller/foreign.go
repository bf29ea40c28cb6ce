package controller

import (
	"context"
	"fmt"
	"maps"
	"sync"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"ecr-cross-account-credential-provider/cmd/ecr-pull-secrets/internal/pullsecret"
	"ecr-cross-account-credential-provider/pkg/printable"
)

// foreigners are the Secrets with this name that belong to others. Each one is
// reported once while this replica works.
type foreigners struct {
	Options
	mu       sync.Mutex
	reported map[string]types.UID // by namespace
}

func newForeigners(o Options) *foreigners {
	return &foreigners{Options: o, reported: map[string]types.UID{}}
}

// count returns the number of foreign Secrets.
func (f *foreigners) count() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return len(f.reported)
}

// keep forgets the Secrets of all other namespaces.
func (f *foreigners) keep(namespaces map[string]bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	maps.DeleteFunc(f.reported, func(namespace string, _ types.UID) bool { return !namespaces[namespace] })
	f.Observer.Foreign(len(f.reported))
}

// gone records that a namespace has no such Secret.
func (f *foreigners) gone(namespace string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if _, ok := f.reported[namespace]; ok {
		delete(f.reported, namespace)
		f.Observer.Foreign(len(f.reported))
	}
}

// found reports a Secret in the log, in the metric, and as an Event in its namespace.
func (f *foreigners) found(ctx context.Context, secret *corev1.Secret) error {
	if !f.isNew(secret) {
		return nil
	}
	message := fmt.Sprintf("Secret %s is not written, because it was not made by %s of %s (type %s, label %s: %q, annotation %s: %q); "+
		"if the release that the annotation names is gone, remove the annotation; "+
		"else choose another --secret-name, or delete the Secret if nothing uses it", secret.Name, pullsecret.Manager, f.Owner, secret.Type,
		pullsecret.ManagedBy, secret.Labels[pullsecret.ManagedBy], pullsecret.Owner, printable.Short(secret.Annotations[pullsecret.Owner]))
	f.Log.Warn(message, "namespace", secret.Namespace)
	now := metav1.NewTime(f.Clock.Now())
	_, err := f.Kube.CoreV1().Events(secret.Namespace).Create(ctx, &corev1.Event{
		ObjectMeta: metav1.ObjectMeta{GenerateName: pullsecret.Manager + ".", Namespace: secret.Namespace},
		InvolvedObject: corev1.ObjectReference{
			APIVersion: "v1", Kind: "Secret", Namespace: secret.Namespace, Name: secret.Name, UID: secret.UID, ResourceVersion: secret.ResourceVersion,
		},
		Type: corev1.EventTypeWarning, Reason: "ForeignSecret", Message: message,
		Source:         corev1.EventSource{Component: pullsecret.Manager},
		FirstTimestamp: now, LastTimestamp: now, Count: 1,
	}, metav1.CreateOptions{})
	if err != nil {
		f.gone(secret.Namespace) // the next attempt reports it again
		return fmt.Errorf("writing an Event about Secret %s/%s: %w", secret.Namespace, secret.Name, err)
	}
	return nil
}

// isNew records a Secret, and reports whether it was unknown before.
func (f *foreigners) isNew(secret *corev1.Secret) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.reported[secret.Namespace] == secret.UID {
		return false
	}
	f.reported[secret.Namespace] = secret.UID
	f.Observer.Foreign(len(f.reported))
	return true
}
