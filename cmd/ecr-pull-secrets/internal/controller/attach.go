package controller

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"ecr-cross-account-credential-provider/cmd/ecr-pull-secrets/internal/pullsecret"
)

// Attach is the annotation of a service account that requests the Secret in its
// imagePullSecrets. "true" adds it, and any other value removes it. A service
// account without the annotation stays unchanged.
const Attach = pullsecret.Manager + "/attach"

// attachAll serves the service accounts of a namespace. With keep, those that request the
// Secret stay unchanged.
func (s *session) attachAll(ctx context.Context, namespace string, selected, keep bool) error {
	var errs []error
	for _, account := range s.view.accountsOf(namespace) {
		requested := account.Annotations[Attach] == "true"
		if requested && keep {
			continue
		}
		if err := s.attach(ctx, account, selected && requested); err != nil {
			errs = append(errs, fmt.Errorf("patching service account %s/%s: %w", namespace, account.Name, err))
		}
	}
	return errors.Join(errs...)
}

// attach adds the Secret's name to a service account, or removes it. It replaces the
// whole list, unless the service account is newer than in the view. Server-side apply
// would make this program the owner of the whole list.
func (s *session) attach(ctx context.Context, account *corev1.ServiceAccount, want bool) error {
	isOurs := func(r corev1.LocalObjectReference) bool { return r.Name == s.Secret }
	if slices.ContainsFunc(account.ImagePullSecrets, isOurs) == want {
		return nil
	}
	secrets := slices.DeleteFunc(slices.Clone(account.ImagePullSecrets), isOurs)
	if want {
		secrets = append(secrets, corev1.LocalObjectReference{Name: s.Secret})
	}
	patch, err := json.Marshal(map[string]any{
		"metadata":         map[string]any{"uid": account.UID, "resourceVersion": account.ResourceVersion},
		"imagePullSecrets": secrets,
	})
	if err != nil {
		return err
	}
	_, err = s.Kube.CoreV1().ServiceAccounts(account.Namespace).Patch(ctx, account.Name, types.MergePatchType, patch, metav1.PatchOptions{FieldManager: pullsecret.Manager})
	if err != nil {
		return err
	}
	s.Observer.Wrote()
	if !want {
		s.fights.repaired(account.Namespace)
	}
	return nil
}
