package controller

import (
	"context"
	"errors"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"ecr-cross-account-credential-provider/cmd/ecr-pull-secrets/internal/pullsecret"
)

// reconcile corrects a namespace's Secret and service accounts.
func (s *session) reconcile(ctx context.Context, namespace string) error {
	selected, secret := s.view.selects(namespace), s.view.secret(namespace, s.Secret)
	foreign := secret != nil && !pullsecret.Owned(secret, s.Owner)
	mine := secret != nil && !foreign && secret.Annotations[pullsecret.Owner] == s.Owner
	if !foreign || !selected {
		s.foreign.gone(namespace)
	}
	var err error
	switch {
	case foreign && selected:
		err = s.foreign.found(ctx, secret)
	case selected:
		err = s.write(ctx, namespace, secret)
	}
	if foreign && pullsecret.Made(secret) {
		return err // another release serves the service accounts
	}
	// A namespace that is not selected may be another release's, unless its Secret names this one.
	keep := selected && foreign || !selected && !foreign && !mine
	err = errors.Join(err, s.attachAll(ctx, namespace, selected, keep))
	if err == nil && !selected && mine {
		err = s.remove(ctx, secret) // last, because it shows that the service accounts have its name from this release
	}
	return ignoreEnding(err)
}

// write gives a namespace its Secret. has is the existing one, or nil.
func (s *session) write(ctx context.Context, namespace string, has *corev1.Secret) error {
	content, some, err := pullsecret.Of(s.Owner, s.Tokens.Credentials(), s.Tokens.Knows, has, s.Clock.Now())
	switch {
	case err != nil:
		return fmt.Errorf("encoding the Secret: %w", err)
	case !some || has != nil && content.In(has):
		return nil // a Secret is never written without content
	}
	// Force is only for a Secret of this program. If there is no Secret yet, another
	// program may create one at this moment. That must be a conflict.
	options := metav1.ApplyOptions{FieldManager: pullsecret.Manager, Force: has != nil}
	if _, err := s.Kube.CoreV1().Secrets(namespace).Apply(ctx, content.Configuration(namespace, s.Secret, has), options); err != nil {
		return fmt.Errorf("writing Secret %s/%s: %w", namespace, s.Secret, err)
	}
	s.Observer.Wrote()
	s.fights.repaired(namespace)
	return nil
}

// remove deletes the Secret of a namespace that is no longer selected.
func (s *session) remove(ctx context.Context, has *corev1.Secret) error {
	only := metav1.DeleteOptions{Preconditions: &metav1.Preconditions{UID: &has.UID, ResourceVersion: &has.ResourceVersion}}
	err := s.Kube.CoreV1().Secrets(has.Namespace).Delete(ctx, has.Name, only)
	if err != nil && !apierrors.IsNotFound(err) {
		return fmt.Errorf("deleting Secret %s/%s: %w", has.Namespace, has.Name, err)
	}
	s.fights.repaired(has.Namespace)
	s.Log.Info("deleted the Secret of a namespace that is not selected any more", "namespace", has.Namespace)
	return nil
}

// ignoreEnding drops the error of a namespace that is being deleted.
func ignoreEnding(err error) error {
	if apierrors.HasStatusCause(err, corev1.NamespaceTerminatingCause) {
		return nil
	}
	return err
}
