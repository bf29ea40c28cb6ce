package test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	acorev1 "k8s.io/client-go/applyconfigurations/core/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"

	"ecr-cross-account-credential-provider/cmd/ecr-pull-secrets/internal/controller"
	"ecr-cross-account-credential-provider/cmd/ecr-pull-secrets/internal/pullsecret"
)

// attempt tries to change something, perhaps as a dry run.
type attempt func(ctx context.Context, dryRun []string) error

// TestPolicy: the admission policy refuses what RBAC cannot express, even for
// requests with the controller's token.
func TestPolicy(t *testing.T) {
	t.Parallel()
	c := sharedCluster(t)
	const name, namespace = "policy", "policy-team"
	config, err := clientcmd.BuildConfigFromFlags("", c.install(t, name, unchanged))
	if err != nil {
		t.Fatal(err)
	}
	kube, err := kubernetes.NewForConfig(config)
	if err != nil {
		t.Fatal(err)
	}
	c.namespace(t, namespace, "")
	label := map[string]string{"app.kubernetes.io/managed-by": "ecr-pull-secrets"}
	owner, other := map[string]string{pullsecret.Owner: name + "/" + name}, map[string]string{pullsecret.Owner: name + "/other"}
	for _, there := range []metav1.ObjectMeta{
		{Namespace: "policy-foreign"}, {Namespace: "policy-old", Labels: label}, {Namespace: "policy-other", Labels: label, Annotations: other},
	} {
		there.Name = name
		s := &corev1.Secret{ObjectMeta: there, Type: corev1.SecretTypeDockerConfigJson, Data: map[string][]byte{corev1.DockerConfigJsonKey: []byte("{}")}}
		c.namespace(t, there.Namespace, "")
		if _, err := c.kube.CoreV1().Secrets(there.Namespace).Create(t.Context(), s, metav1.CreateOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	for account, annotations := range map[string]map[string]string{"asks": {controller.Attach: "true"}, "silent": nil} {
		a := &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Name: account, Annotations: annotations}}
		if _, err := c.kube.CoreV1().ServiceAccounts(namespace).Create(t.Context(), a, metav1.CreateOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	write := func(in, name string, kind corev1.SecretType, labels, annotations map[string]string, finalizers ...string) attempt {
		return func(ctx context.Context, dryRun []string) error {
			secret := acorev1.Secret(name, in).WithType(kind).WithLabels(labels).WithAnnotations(annotations).WithFinalizers(finalizers...).
				WithData(map[string][]byte{corev1.DockerConfigJsonKey: []byte("{}")})
			_, err := kube.CoreV1().Secrets(in).Apply(ctx, secret, metav1.ApplyOptions{FieldManager: "policy", Force: true, DryRun: dryRun})
			return err
		}
	}
	remove := func(in string) attempt {
		return func(ctx context.Context, dryRun []string) error {
			return kube.CoreV1().Secrets(in).Delete(ctx, name, metav1.DeleteOptions{DryRun: dryRun})
		}
	}
	patch := func(account, text string) attempt {
		return func(ctx context.Context, dryRun []string) error {
			_, err := kube.CoreV1().ServiceAccounts(namespace).Patch(ctx, account, types.MergePatchType, []byte(text), metav1.PatchOptions{DryRun: dryRun})
			return err
		}
	}
	const docker = corev1.SecretTypeDockerConfigJson
	const writes, changes, attaches = "writes only pull Secrets", "changes and deletes only Secrets that it made", "changes only its own entry in imagePullSecrets"
	const links = "changes no ownerReferences and no finalizers"
	tests := []struct {
		name, want string // want is a part of the refusal, or empty if there is none
		do         attempt
	}{
		{"a Secret of another type", writes, write(namespace, name, corev1.SecretTypeOpaque, label, owner)},
		{"a Secret without the label", writes, write(namespace, name, docker, nil, owner)},
		{"a Secret without the owner", writes, write(namespace, name, docker, label, nil)},
		{"a Secret with another owner", writes, write(namespace, name, docker, label, other)},
		{"a Secret of another name", "cannot patch resource", write(namespace, "other", docker, label, owner)},
		{"a new Secret with a finalizer", links, write(namespace, name, docker, label, owner, "example.com/wait")},
		{"its own Secret", "", write(namespace, name, docker, label, owner)},
		{"a finalizer of its own Secret", links, write(namespace, name, docker, label, owner, "example.com/wait")},
		{"taking a Secret over", changes, write("policy-foreign", name, docker, label, owner)},
		{"taking the Secret of another release over", changes, write("policy-other", name, docker, label, owner)},
		{"taking the Secret of an older version over", "", write("policy-old", name, docker, label, owner)},
		{"deleting another one's Secret", changes, remove("policy-foreign")},
		{"deleting another release's Secret", changes, remove("policy-other")},
		{"deleting its own Secret", "", remove(namespace)},
		{"a service account that does not ask", attaches, patch("silent", `{"imagePullSecrets":[{"name":"policy"}]}`)},
		{"another Secret for a service account", attaches, patch("asks", `{"imagePullSecrets":[{"name":"other"}]}`)},
		{"an annotation of a service account", attaches, patch("asks", `{"metadata":{"annotations":{"eks.amazonaws.com/role-arn":"x"}}}`)},
		{"a label of a service account", attaches, patch("asks", `{"metadata":{"labels":{"x":"y"}}}`)},
		{"a service account's token mount", attaches, patch("asks", `{"automountServiceAccountToken":false}`)},
		{"an owner of a service account", links, patch("asks", `{"metadata":{"ownerReferences":[{"apiVersion":"v1","kind":"Pod","name":"x","uid":"y"}]}}`)},
		{"a finalizer of a service account", links, patch("asks", `{"metadata":{"finalizers":["example.com/wait"]}}`)},
		{"the Secret for a service account that asks", "", patch("asks", `{"imagePullSecrets":[{"name":"policy"}]}`)},
	}
	for _, test := range tests { // in this order, because some depend on earlier ones
		var dryRun []string
		if test.want != "" { // a new policy needs a moment to take effect
			dryRun = []string{metav1.DryRunAll}
		}
		eventually(t, test.name+" has the right outcome", func() error {
			err := test.do(t.Context(), dryRun)
			switch {
			case test.want == "":
				return err
			case err == nil:
				return fmt.Errorf("got no error, want a refusal with %q", test.want)
			case !strings.Contains(err.Error(), test.want):
				return fmt.Errorf("got %w, want a refusal with %q", err, test.want)
			}
			return nil
		})
	}
}

// TestRestricted: the pod meets the pod security standard "restricted".
func TestRestricted(t *testing.T) {
	t.Parallel()
	c := sharedCluster(t)
	c.install(t, "restricted", unchanged)
	if _, err := c.kube.CoreV1().Namespaces().Patch(t.Context(), "restricted", types.MergePatchType,
		[]byte(`{"metadata":{"labels":{"pod-security.kubernetes.io/enforce":"restricted"}}}`), metav1.PatchOptions{}); err != nil {
		t.Fatal(err)
	}
	deployment, err := c.kube.AppsV1().Deployments("restricted").Get(t.Context(), "restricted", metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	pods := c.kube.CoreV1().Pods("restricted")
	if _, err := pods.Create(t.Context(), podOf(deployment, "good"), metav1.CreateOptions{}); err != nil {
		t.Error(err)
	}
	bad := podOf(deployment, "bad")
	*bad.Spec.Containers[0].SecurityContext.AllowPrivilegeEscalation = true
	if _, err := pods.Create(t.Context(), bad, metav1.CreateOptions{}); err == nil {
		t.Error("got a pod that is not restricted, want it refused")
	}
	good := podOf(deployment, "")
	if !*good.Spec.Containers[0].SecurityContext.ReadOnlyRootFilesystem || !*good.Spec.SecurityContext.RunAsNonRoot {
		t.Error("got a writable root file system or the user root, want neither")
	}
}

func podOf(d *appsv1.Deployment, name string) *corev1.Pod {
	template := d.Spec.Template.DeepCopy()
	return &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: name, Labels: template.Labels}, Spec: template.Spec}
}
