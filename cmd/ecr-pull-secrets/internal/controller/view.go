package controller

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/metadata/metadatainformer"
	"k8s.io/client-go/tools/cache"

	"ecr-cross-account-credential-provider/cmd/ecr-pull-secrets/internal/pullsecret"
)

// view holds what the watches have received: the selected namespaces, all Secrets
// with the name, and the service accounts.
type view struct {
	namespaces, secrets, accounts cache.SharedIndexInformer
	watching                      sync.WaitGroup

	mu     sync.Mutex
	failed map[cache.SharedIndexInformer]error // the last error of each one
}

// newView returns a view that calls changed with the name of each changed
// namespace. It watches Secrets by name, so that RBAC can limit it to that name.
func newView(ctx context.Context, o Options, changed func(namespace string)) (*view, error) {
	selected := metadatainformer.NewFilteredSharedInformerFactory(o.Metadata, 0, metav1.NamespaceAll,
		func(list *metav1.ListOptions) { list.LabelSelector = o.Selector })
	named := informers.NewSharedInformerFactoryWithOptions(o.Kube, 0, informers.WithTransform(onlyContent(o.Owner)), informers.WithTweakListOptions(
		func(list *metav1.ListOptions) {
			list.FieldSelector = fields.OneTermEqualSelector("metadata.name", o.Secret).String()
		}))
	all := informers.NewSharedInformerFactoryWithOptions(o.Kube, 0, informers.WithTransform(onlyPullSecrets))
	v := &view{
		namespaces: selected.ForResource(corev1.SchemeGroupVersion.WithResource("namespaces")).Informer(),
		secrets:    named.Core().V1().Secrets().Informer(),
		accounts:   all.Core().V1().ServiceAccounts().Informer(),
		failed:     map[cache.SharedIndexInformer]error{},
	}
	nameOf := func(m metav1.Object) string { return m.GetName() }
	namespaceOf := func(m metav1.Object) string { return m.GetNamespace() }
	for informer, name := range map[cache.SharedIndexInformer]func(metav1.Object) string{
		v.namespaces: nameOf, v.secrets: namespaceOf, v.accounts: namespaceOf,
	} {
		_, err := informer.AddEventHandler(handler(name, changed))
		if err == nil {
			err = informer.SetWatchErrorHandlerWithContext(v.keepError(informer))
		}
		if err != nil {
			return nil, fmt.Errorf("watching: %w", err)
		}
	}
	for _, informer := range []cache.SharedIndexInformer{v.namespaces, v.secrets, v.accounts} {
		v.watching.Go(func() { informer.RunWithContext(ctx) })
	}
	return v, nil
}

// handler calls changed with the namespace of each event.
func handler(name func(metav1.Object) string, changed func(string)) cache.ResourceEventHandler {
	notify := func(object any) {
		if gone, ok := object.(cache.DeletedFinalStateUnknown); ok {
			object = gone.Obj
		}
		if m, ok := object.(metav1.Object); ok {
			changed(name(m))
		}
	}
	return cache.ResourceEventHandlerFuncs{
		AddFunc: notify, DeleteFunc: notify,
		UpdateFunc: func(_, object any) { notify(object) },
	}
}

// keepError returns a handler that keeps an informer's last error for listed, and logs
// each one as client-go does.
func (v *view) keepError(informer cache.SharedIndexInformer) cache.WatchErrorHandlerWithContext {
	return func(ctx context.Context, r *cache.Reflector, err error) {
		v.mu.Lock()
		v.failed[informer] = err
		v.mu.Unlock()
		cache.DefaultWatchErrorHandler(ctx, r, err)
	}
}

// onlyContent returns a transform that keeps the content of the owner's Secrets, and drops
// the content of others. Equal contents share their memory, because normally all
// namespaces have the same.
func onlyContent(owner string) cache.TransformFunc {
	var mu sync.Mutex
	var last []byte
	return func(object any) (any, error) {
		s, ok := object.(*corev1.Secret)
		if !ok {
			return object, nil
		}
		content := s.Data[corev1.DockerConfigJsonKey]
		s.ManagedFields, s.Data = nil, nil
		if !pullsecret.Owned(s, owner) {
			return s, nil
		}
		mu.Lock()
		defer mu.Unlock()
		if !bytes.Equal(content, last) {
			last = content
		}
		s.Data = map[string][]byte{corev1.DockerConfigJsonKey: last}
		return s, nil
	}
}

// onlyPullSecrets keeps only the fields of a service account that attach reads, because
// there may be many service accounts.
func onlyPullSecrets(object any) (any, error) {
	a, ok := object.(*corev1.ServiceAccount)
	if !ok {
		return object, nil
	}
	small := &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Name: a.Name, Namespace: a.Namespace, UID: a.UID, ResourceVersion: a.ResourceVersion}}
	if value, ok := a.Annotations[Attach]; ok {
		small.Annotations, small.ImagePullSecrets = map[string]string{Attach: value}, a.ImagePullSecrets
	}
	return small, nil
}

// listed waits until all lists are complete, or the context ends. Its error says which
// lists are not complete, and why.
func (v *view) listed(ctx context.Context) error {
	cache.WaitForCacheSync(ctx.Done(), v.namespaces.HasSynced, v.secrets.HasSynced, v.accounts.HasSynced)
	v.mu.Lock()
	defer v.mu.Unlock()
	var missing []string
	for _, list := range []struct {
		of       string
		informer cache.SharedIndexInformer
	}{{"namespaces", v.namespaces}, {"Secrets", v.secrets}, {"service accounts", v.accounts}} {
		if list.informer.HasSynced() {
			continue
		}
		err := v.failed[list.informer]
		if err == nil {
			err = errNoAnswer
		}
		missing = append(missing, fmt.Sprintf("no list of %s: %v", list.of, err))
	}
	if len(missing) > 0 {
		return errors.New(strings.Join(missing, "; "))
	}
	return nil
}

// shutdown waits until all watches have ended. The context must have ended before.
func (v *view) shutdown() { v.watching.Wait() }

// names returns every namespace that is selected or has a Secret.
func (v *view) names() map[string]bool {
	names := map[string]bool{}
	for _, object := range v.namespaces.GetStore().List() {
		if m, ok := object.(metav1.Object); ok {
			names[m.GetName()] = true
		}
	}
	for _, object := range v.secrets.GetStore().List() {
		if m, ok := object.(metav1.Object); ok {
			names[m.GetNamespace()] = true
		}
	}
	return names
}

// selects reports whether a namespace has the labels and is not being deleted.
func (v *view) selects(namespace string) bool {
	object, ok, _ := v.namespaces.GetStore().GetByKey(namespace) // a store in memory returns no error
	m, isObject := object.(metav1.Object)
	return ok && isObject && m.GetDeletionTimestamp() == nil
}

// secret returns the Secret of a namespace, or nil if there is none.
func (v *view) secret(namespace, name string) *corev1.Secret {
	object, _, _ := v.secrets.GetStore().GetByKey(namespace + "/" + name)
	s, _ := object.(*corev1.Secret)
	return s
}

// accountsOf returns the service accounts of a namespace that have the annotation.
func (v *view) accountsOf(namespace string) (asking []*corev1.ServiceAccount) {
	objects, _ := v.accounts.GetIndexer().ByIndex(cache.NamespaceIndex, namespace)
	for _, object := range objects {
		if a, ok := object.(*corev1.ServiceAccount); ok && a.Annotations != nil {
			asking = append(asking, a)
		}
	}
	return asking
}
