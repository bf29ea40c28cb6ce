package test

import (
	"errors"
	"fmt"
	"testing"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	acorev1 "k8s.io/client-go/applyconfigurations/core/v1"

	"ecr-cross-account-credential-provider/cmd/ecr-pull-secrets/internal/controller"
)

// arguments returns the arguments of a controller without a lease, for the
// namespaces of a team. Its Secrets have the team's name.
func (w *world) arguments(t *testing.T, c *cluster, team string) []string {
	t.Helper()
	return []string{
		"--config=" + w.config(t, threeRegistries()), "--kubeconfig=" + c.kubeconfig(t, adminToken, "default"),
		"--namespace-selector=team=" + team, "--secret-name=" + team, "--leader-elect=false", "--listen=127.0.0.1:0",
	}
}

// TestRepair: any manual change of a Secret is undone.
func TestRepair(t *testing.T) {
	t.Parallel()
	c, w := sharedCluster(t), newWorld(t)
	c.namespace(t, "repair", "repair")
	w.run(t, w.arguments(t, c, "repair")...)
	before := c.has(t, "repair", "repair", w.holdsAll)
	secrets := c.kube.CoreV1().Secrets("repair")
	empty := map[string][]byte{corev1.DockerConfigJsonKey: []byte(`{"auths":{}}`)}
	steps := []struct {
		name string
		do   func() error
	}{
		{"edited", func() error {
			edited := before.DeepCopy()
			edited.Data, edited.ResourceVersion = empty, ""
			_, err := secrets.Update(t.Context(), edited, metav1.UpdateOptions{})
			return err
		}},
		{"taken by another manager", func() error {
			other := acorev1.Secret("repair", "repair").WithData(empty).WithType(corev1.SecretTypeDockerConfigJson)
			_, err := secrets.Apply(t.Context(), other, metav1.ApplyOptions{FieldManager: "somebody", Force: true})
			return err
		}},
		{"without its annotation", func() error {
			_, err := secrets.Patch(t.Context(), "repair", types.MergePatchType, []byte(`{"metadata":{"annotations":{"ecr-pull-secrets/expires-at":null}}}`), metav1.PatchOptions{})
			return err
		}},
	}
	for _, step := range steps {
		if err := step.do(); err != nil {
			t.Fatalf("%s: %v", step.name, err)
		}
		after := c.has(t, "repair", "repair", func(s *corev1.Secret) error {
			if s.Annotations["ecr-pull-secrets/expires-at"] == "" {
				return errors.New("it has no expires-at")
			}
			return w.holdsAll(s)
		})
		if after.UID != before.UID {
			t.Errorf("%s: got a new Secret, want the same one", step.name)
		}
	}
	if err := secrets.Delete(t.Context(), "repair", metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	c.has(t, "repair", "repair", w.holdsAll)
}

// TestLabel: a namespace that loses its label also loses its Secret, even if no
// controller ran at that time.
func TestLabel(t *testing.T) {
	t.Parallel()
	c, w := sharedCluster(t), newWorld(t)
	gone := func(namespace string) {
		t.Helper()
		eventually(t, "the Secret of "+namespace+" is gone", func() error {
			_, err := c.secret(t.Context(), namespace, "label")
			if err == nil {
				return errors.New("it is still there")
			}
			if apierrors.IsNotFound(err) {
				return nil
			}
			return err
		})
	}
	unlabel := func(namespace string) {
		t.Helper()
		_, err := c.kube.CoreV1().Namespaces().Patch(t.Context(), namespace, types.MergePatchType, []byte(`{"metadata":{"labels":{"team":null}}}`), metav1.PatchOptions{})
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, namespace := range []string{"label-1", "label-2", "label-3"} {
		c.namespace(t, namespace, "label")
	}
	r := w.run(t, w.arguments(t, c, "label")...)
	for _, namespace := range []string{"label-1", "label-2", "label-3"} {
		c.has(t, namespace, "label", w.holdsAll)
	}
	unlabel("label-1")
	gone("label-1")
	r.stop()
	unlabel("label-2")
	w.run(t, w.arguments(t, c, "label")...)
	gone("label-2")
	c.has(t, "label-3", "label", w.holdsAll)
}

// TestForeign: a Secret with this name from another owner stays unchanged and is
// reported. The other namespaces are served.
func TestForeign(t *testing.T) {
	t.Parallel()
	c, w := sharedCluster(t), newWorld(t)
	c.namespace(t, "foreign-1", "foreign")
	c.namespace(t, "foreign-2", "foreign")
	theirs := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: "foreign"}, Data: map[string][]byte{"password": []byte("theirs")}}
	theirs, err := c.kube.CoreV1().Secrets("foreign-1").Create(t.Context(), theirs, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	r := w.run(t, w.arguments(t, c, "foreign")...)
	c.has(t, "foreign-2", "foreign", w.holdsAll)
	eventually(t, "an Event reports the foreign Secret", func() error {
		events, err := c.kube.CoreV1().Events("foreign-1").List(t.Context(), metav1.ListOptions{})
		if err != nil {
			return err
		}
		for _, e := range events.Items {
			if e.Reason == "ForeignSecret" && e.InvolvedObject.Name == "foreign" && e.Type == corev1.EventTypeWarning {
				return nil
			}
		}
		return fmt.Errorf("got only %d other Events", len(events.Items))
	})
	r.metricIs(t, "foreign_secrets", func(n float64) bool { return n == 1 })
	now, err := c.secret(t.Context(), "foreign-1", "foreign")
	if err != nil || now.ResourceVersion != theirs.ResourceVersion {
		t.Errorf("got a changed Secret or error %v, want it unchanged", err)
	}
	if err := c.kube.CoreV1().Secrets("foreign-1").Delete(t.Context(), "foreign", metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	c.has(t, "foreign-1", "foreign", w.holdsAll)
	r.metricIs(t, "foreign_secrets", func(n float64) bool { return n == 0 })
}

// TestAttach: a service account gets the Secret only if it requests it, and keeps
// its other Secrets.
func TestAttach(t *testing.T) {
	t.Parallel()
	c, w := sharedCluster(t), newWorld(t)
	c.namespace(t, "attach", "attach")
	accounts := c.kube.CoreV1().ServiceAccounts("attach")
	for name, annotation := range map[string]string{"asks": "true", "silent": "", "refuses": "false"} {
		a := &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Name: name}, ImagePullSecrets: []corev1.LocalObjectReference{{Name: "other"}}}
		if annotation != "" {
			a.Annotations = map[string]string{controller.Attach: annotation}
		}
		if name == "refuses" {
			a.ImagePullSecrets = append(a.ImagePullSecrets, corev1.LocalObjectReference{Name: "attach"})
		}
		if _, err := accounts.Create(t.Context(), a, metav1.CreateOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	names := func(account string, want ...string) {
		t.Helper()
		c.names(t, "attach", account, want...)
	}
	w.run(t, w.arguments(t, c, "attach")...)
	names("asks", "other", "attach")
	names("refuses", "other")
	names("silent", "other")
	if _, err := accounts.Patch(t.Context(), "asks", types.MergePatchType, []byte(`{"metadata":{"annotations":{"`+controller.Attach+`":"no"}}}`), metav1.PatchOptions{}); err != nil {
		t.Fatal(err)
	}
	names("asks", "other")
}

// names waits until a service account names these pull Secrets, and returns it.
func (c *cluster) names(t *testing.T, namespace, account string, want ...string) (a *corev1.ServiceAccount) {
	t.Helper()
	eventually(t, "service account "+account+" is as wanted", func() (err error) {
		if a, err = c.kube.CoreV1().ServiceAccounts(namespace).Get(t.Context(), account, metav1.GetOptions{}); err != nil {
			return err
		}
		var got []string
		for _, s := range a.ImagePullSecrets {
			got = append(got, s.Name)
		}
		if fmt.Sprint(got) != fmt.Sprint(want) {
			return fmt.Errorf("it has %q, want %q", got, want)
		}
		return nil
	})
	return a
}

// TestDetach: a service account can get rid of the Secret's name even if the Secret is
// foreign. The name is added to none.
func TestDetach(t *testing.T) {
	t.Parallel()
	c, w := sharedCluster(t), newWorld(t)
	c.namespace(t, "detach-1", "detach")
	c.namespace(t, "detach-2", "")
	for _, a := range []struct{ namespace, name, annotation, has string }{
		{"detach-1", "asks", "true", "other"}, {"detach-1", "refuses", "false", "detach"}, {"detach-2", "unlabelled", "true", "detach"},
	} {
		account := &corev1.ServiceAccount{
			ObjectMeta:       metav1.ObjectMeta{Name: a.name, Annotations: map[string]string{controller.Attach: a.annotation}},
			ImagePullSecrets: []corev1.LocalObjectReference{{Name: a.has}},
		}
		if _, err := c.kube.CoreV1().ServiceAccounts(a.namespace).Create(t.Context(), account, metav1.CreateOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	for _, namespace := range []string{"detach-1", "detach-2"} {
		theirs := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: "detach"}}
		if _, err := c.kube.CoreV1().Secrets(namespace).Create(t.Context(), theirs, metav1.CreateOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	r := w.run(t, w.arguments(t, c, "detach")...)
	c.names(t, "detach-1", "refuses")
	c.names(t, "detach-2", "unlabelled")
	r.metricIs(t, "syncs_total", func(n float64) bool { return n >= 1 })
	c.names(t, "detach-1", "asks", "other")
}
