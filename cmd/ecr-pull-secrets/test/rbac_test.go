package test

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"

	"ecr-cross-account-credential-provider/cmd/ecr-pull-secrets/internal/controller"
	"ecr-cross-account-credential-provider/cmd/ecr-pull-secrets/internal/pullsecret"
)

// duty is the complete work of a controller, in the namespaces RELEASE-written,
// RELEASE-unlabelled and RELEASE-foreign.
type duty struct {
	c       *cluster
	w       *world
	release string
	log     func() string
}

// begin prepares the namespaces of a release, and returns the arguments of its
// controller.
func (c *cluster) begin(t *testing.T, w *world, release, kubeconfig string) (duty, []string) {
	t.Helper()
	for _, name := range []string{"written", "unlabelled", "foreign"} {
		c.namespace(t, release+"-"+name, release)
	}
	account := &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Name: "app", Annotations: map[string]string{controller.Attach: "true"}}}
	_, err := c.kube.CoreV1().ServiceAccounts(release+"-written").Create(t.Context(), account, metav1.CreateOptions{})
	foreign := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: release}}
	_, err2 := c.kube.CoreV1().Secrets(release+"-foreign").Create(t.Context(), foreign, metav1.CreateOptions{})
	// The controller must change one Secret, and delete another.
	ours := &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{
			Name: release, Labels: map[string]string{pullsecret.ManagedBy: pullsecret.Manager},
			Annotations: map[string]string{pullsecret.Owner: release + "/" + release},
		},
		Type: corev1.SecretTypeDockerConfigJson, Data: map[string][]byte{corev1.DockerConfigJsonKey: []byte(`{}`)},
	}
	_, err3 := c.kube.CoreV1().Secrets(release+"-unlabelled").Create(t.Context(), ours, metav1.CreateOptions{})
	_, err4 := c.kube.CoreV1().Namespaces().Patch(t.Context(), release+"-unlabelled", types.MergePatchType, []byte(`{"metadata":{"labels":{"team":null}}}`), metav1.PatchOptions{})
	if err := errors.Join(err, err2, err3, err4); err != nil {
		t.Fatal(err)
	}
	return duty{c: c, w: w, release: release}, []string{
		"--config=" + w.config(t, threeRegistries()), "--kubeconfig=" + kubeconfig,
		"--namespace-selector=team=" + release, "--secret-name=" + release, "--lease=" + release, "--listen=127.0.0.1:0",
	}
}

// done returns an error unless the controller has done everything.
func (d duty) done(t *testing.T) error {
	t.Helper()
	var errs []error
	s, err := d.c.secret(t.Context(), d.release+"-written", d.release)
	if err == nil {
		err = d.w.holdsAll(s)
	}
	errs = append(errs, err)
	account, err := d.c.kube.CoreV1().ServiceAccounts(d.release+"-written").Get(t.Context(), "app", metav1.GetOptions{})
	if err == nil && len(account.ImagePullSecrets) == 0 {
		err = errors.New("the service account has no pull Secret")
	}
	errs = append(errs, err)
	if _, err := d.c.secret(t.Context(), d.release+"-unlabelled", d.release); err == nil {
		errs = append(errs, errors.New("the Secret of the namespace without the label is there"))
	}
	events, err := d.c.kube.CoreV1().Events(d.release+"-foreign").List(t.Context(), metav1.ListOptions{})
	if err == nil && len(events.Items) == 0 {
		err = errors.New("no Event reports the foreign Secret")
	}
	return errors.Join(append(errs, err)...)
}

// renewed waits until the lease has been renewed.
func (d duty) renewed(t *testing.T) {
	t.Helper()
	eventually(t, "the lease is renewed", func() error {
		lease, err := d.c.kube.CoordinationV1().Leases(d.release).Get(t.Context(), d.release, metav1.GetOptions{})
		if err == nil && !lease.Spec.RenewTime.After(lease.Spec.AcquireTime.Time) {
			err = errors.New("it is not")
		}
		return err
	})
}

// TestShipped: with exactly the chart's rules, a controller can do everything.
func TestShipped(t *testing.T) {
	t.Parallel()
	c, w := sharedCluster(t), newWorld(t)
	d, args := c.begin(t, w, "shipped", c.install(t, "shipped", unchanged))
	d.log = w.run(t, args...).log.String
	eventually(t, "the controller has done everything", func() error { return d.done(t) })
	d.renewed(t)
	if log := d.log(); strings.Contains(log, "forbidden") || strings.Contains(log, "denied") {
		t.Errorf("want no refusal, got\n%s", log)
	}
}

// verb is a verb of a rule of the chart.
type verb struct {
	kind           string
	rule           int
	resource, verb string
}

// verbs returns all verbs of the chart's roles.
func verbs(t *testing.T) (all []verb) {
	t.Helper()
	manifests, err := helm(t, "verbs", "verbs", valuesFor("verbs"))
	if err != nil {
		t.Fatal(err)
	}
	for _, u := range objects(t, manifests) {
		if u.GetKind() != "ClusterRole" && u.GetKind() != "Role" {
			continue
		}
		var role rbacv1.ClusterRole
		convert(t, u, &role)
		for i, rule := range role.Rules {
			for _, resource := range rule.Resources {
				for _, v := range rule.Verbs {
					all = append(all, verb{u.GetKind(), i, resource, v})
				}
			}
		}
	}
	if len(all) == 0 {
		t.Fatal("got no rules in the chart")
	}
	return all
}

// remove returns a function that removes the verb from a role.
func (v verb) remove(t *testing.T) func(*unstructured.Unstructured) {
	return func(u *unstructured.Unstructured) {
		if u.GetKind() != v.kind {
			return
		}
		rules, _, err := unstructured.NestedSlice(u.Object, "rules")
		if err != nil {
			t.Fatal(err)
		}
		rule := rules[v.rule].(map[string]any)
		rule["verbs"] = slices.DeleteFunc(rule["verbs"].([]any), func(other any) bool { return other == v.verb })
		if len(rule["verbs"].([]any)) == 0 {
			rules = slices.Delete(rules, v.rule, v.rule+1)
		}
		if err := unstructured.SetNestedSlice(u.Object, rules, "rules"); err != nil {
			t.Fatal(err)
		}
	}
}

// TestLeast: if one verb of the chart is missing, something is refused, and the
// controller reports it.
func TestLeast(t *testing.T) {
	t.Parallel()
	for i, v := range verbs(t) {
		t.Run(v.verb+" "+v.resource, func(t *testing.T) {
			t.Parallel()
			c, w := sharedCluster(t), newWorld(t)
			release := fmt.Sprint("least-", i)
			d, args := c.begin(t, w, release, c.install(t, release, v.remove(t)))
			if v.verb == "list" { // only watches are needed, unless the API server is too old to list by a watch
				p := child(t, "list", []string{"KUBE_FEATURE_WatchListClient=false"}, args...)
				d.log = func() string { text, _ := os.ReadFile(p.log); return string(text) }
			} else {
				d.log = w.run(t, args...).log.String
			}
			eventually(t, "the controller reports the missing verb", func() error {
				for line := range strings.Lines(d.log()) {
					if strings.Contains(line, "forbidden") && strings.Contains(line, "cannot "+v.verb+" resource") && strings.Contains(line, v.resource) {
						return nil
					}
				}
				return errors.New("nothing was refused so far")
			})
		})
	}
}
