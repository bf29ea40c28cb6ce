package test

import (
	"errors"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"

	"ecr-cross-account-credential-provider/test/fakeaws"
)

// once runs a controller with --once, and returns it when it has ended.
func (w *world) once(t *testing.T, wantStatus int, args ...string) *running {
	t.Helper()
	r := w.start(t, append(args, "--once")...)
	if status := <-r.status; status != wantStatus {
		t.Errorf("got status %d, want %d:\n%s", status, wantStatus, r.log)
	}
	return r
}

// TestOnce: every Secret is written. The exit status says whether anything failed.
func TestOnce(t *testing.T) {
	t.Parallel()
	c, w := sharedCluster(t), newWorld(t)
	c.namespace(t, "once-1", "once")
	c.namespace(t, "once-2", "once")
	args := w.arguments(t, c, "once")
	w.once(t, 0, args...)
	before := c.has(t, "once-1", "once", w.holdsAll)

	w.SetRole(fakeaws.Role{ARN: roleOf(accounts[0])}) // this role trusts nobody
	r := w.once(t, 1, args...)
	after := c.has(t, "once-1", "once", w.holdsAll) // the refused registry has the same token as before
	if string(before.Data[corev1.DockerConfigJsonKey]) == string(after.Data[corev1.DockerConfigJsonKey]) {
		t.Error("got the old tokens of the other registries, want new ones")
	}
	if want := "ecr-pull-secrets: registries without a new token: 1; each one's reason is logged above"; !strings.HasSuffix(r.log.String(), want) {
		t.Errorf("want stderr to end with %q, got\n%s", want, r.log)
	}

	w.SetRole(fakeaws.Role{ARN: roleOf(accounts[0]), Trust: []fakeaws.Trust{{Principal: controllerRole}}})
	if _, err := c.kube.CoreV1().Secrets("once-1").Patch(t.Context(), "once", types.MergePatchType, []byte(`{"immutable":true}`), metav1.PatchOptions{}); err != nil {
		t.Fatal(err)
	}
	r = w.once(t, 1, args...)
	if want := "ecr-pull-secrets: namespaces that could not be served: 1; each one's reason is logged above"; !strings.HasSuffix(r.log.String(), want) {
		t.Errorf("want stderr to end with %q, got\n%s", want, r.log)
	}
	if s := c.has(t, "once-2", "once", w.holdsAll); string(s.Data[corev1.DockerConfigJsonKey]) == string(after.Data[corev1.DockerConfigJsonKey]) {
		t.Error("got the old tokens in the other namespace, want new ones")
	}
	theirs := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: "once"}}
	c.namespace(t, "once-3", "once")
	if _, err := c.kube.CoreV1().Secrets("once-3").Create(t.Context(), theirs, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	r = w.once(t, 1, args...)
	if !strings.Contains(r.log.String(), "namespaces that could not be served: 2;") {
		t.Errorf("want the foreign Secret counted, got\n%s", r.log)
	}
}

// TestNoList: if a list cannot complete, the program ends after ten minutes and says why.
func TestNoList(t *testing.T) {
	t.Parallel()
	c, w := sharedCluster(t), newWorld(t)
	all := verbs(t)
	kubeconfig := c.install(t, "nolist", func(u *unstructured.Unstructured) {
		for _, v := range all {
			if v.resource == "serviceaccounts" && v.verb != "patch" {
				v.remove(t)(u)
			}
		}
	})
	r := w.start(t, "--config="+w.config(t, threeRegistries()), "--kubeconfig="+kubeconfig, "--namespace-selector=team=nolist",
		"--secret-name=nolist", "--lease=nolist", "--once")
	eventually(t, "the list is refused", func() error {
		if !strings.Contains(r.log.String(), `cannot list resource \"serviceaccounts\"`) {
			return errors.New("it is not")
		}
		return nil
	})
	w.clock.Step(10 * time.Minute)
	eventually(t, "the program has ended", func() error {
		if strings.Contains(r.log.String(), "ecr-pull-secrets: listing ") {
			return nil
		}
		return errors.New("it runs")
	})
	if status := <-r.status; status != 1 {
		t.Errorf("got status %d, want 1", status)
	}
	_, last, _ := strings.Cut(r.log.String(), "ecr-pull-secrets: listing ")
	if !strings.Contains(last, "no list of service accounts: ") || !strings.Contains(last, "forbidden") {
		t.Errorf("want the missing list and its reason, got %s", last)
	}
}
