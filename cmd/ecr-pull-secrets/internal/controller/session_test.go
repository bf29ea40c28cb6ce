package controller

import (
	"context"
	"errors"
	"log/slog"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes/fake"
	"k8s.io/client-go/util/workqueue"
	testclock "k8s.io/utils/clock/testing"

	"ecr-cross-account-credential-provider/cmd/ecr-pull-secrets/internal/dockerconfig"
	"ecr-cross-account-credential-provider/cmd/ecr-pull-secrets/internal/pullsecret"
	"ecr-cross-account-credential-provider/pkg/secret"
)

// tokens holds one credential.
type tokens struct{ expires time.Time }

func (t tokens) Credentials() []dockerconfig.Credential {
	return []dockerconfig.Credential{{Key: "registry.example.com", Login: secret.New("AWS:x"), Expires: t.expires}}
}

func (tokens) Knows(string) bool { return true }

// newSession returns a session that watches nothing.
func newSession(t *testing.T) (*session, *observer) {
	t.Helper()
	kube, now, o := fake.NewClientset(), time.Unix(1_000_000, 0), &observer{}
	all := informers.NewSharedInformerFactory(kube, 0).Core().V1()
	c := New(Options{
		Kube: kube, Secret: "pull", Owner: "ns/lease", Tokens: tokens{now.Add(time.Hour)}, Clock: testclock.NewFakeClock(now),
		Observer: o, Log: slog.New(slog.DiscardHandler),
	})
	s := &session{
		Options: c.o, foreign: c.foreign, batch: newBatch(o), fights: &fights{count: map[string]int{}},
		view:  &view{namespaces: all.Namespaces().Informer(), secrets: all.Secrets().Informer(), accounts: all.ServiceAccounts().Informer()},
		queue: workqueue.NewTypedRateLimitingQueue(workqueue.DefaultTypedControllerRateLimiter[string]()),
	}
	t.Cleanup(s.queue.ShutDown)
	return s, o
}

// TestRepairs: everything that two programs may undo in turn counts as a repair.
func TestRepairs(t *testing.T) {
	t.Parallel()
	s, _ := newSession(t)
	count := func(what string, want int, err error) {
		t.Helper()
		if got := s.fights.count["team"]; err != nil || got != want {
			t.Fatalf("%s: got %d repairs, error %v; want %d", what, got, err, want)
		}
	}
	count("a new Secret", 1, s.write(t.Context(), "team", nil))
	has, err := s.Kube.CoreV1().Secrets("team").Get(t.Context(), "pull", metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	count("the same Secret", 1, s.write(t.Context(), "team", has))
	count("a deleted Secret", 2, s.remove(t.Context(), has))
	app := &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Name: "app"}}
	account, err := s.Kube.CoreV1().ServiceAccounts("team").Create(t.Context(), app, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	count("a service account with the Secret", 2, s.attach(t.Context(), account, true))
	account.ImagePullSecrets = []corev1.LocalObjectReference{{Name: "pull"}}
	count("a service account without the Secret", 3, s.attach(t.Context(), account, false))
}

// TestUnselected: a namespace that is not selected, and has no Secret, may belong to
// another release. Only service accounts that no longer request the Secret lose its name.
func TestUnselected(t *testing.T) {
	t.Parallel()
	s, _ := newSession(t)
	for value, want := range map[string]int{"true": 1, "false": 0} {
		account := &corev1.ServiceAccount{
			ObjectMeta:       metav1.ObjectMeta{Namespace: "team", Name: "app-" + value, Annotations: map[string]string{Attach: value}},
			ImagePullSecrets: []corev1.LocalObjectReference{{Name: "pull"}},
		}
		if err := s.view.accounts.GetIndexer().Add(account); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Kube.CoreV1().ServiceAccounts("team").Create(t.Context(), account, metav1.CreateOptions{}); err != nil {
			t.Fatal(err)
		}
		if err := s.reconcile(t.Context(), "team"); err != nil {
			t.Fatal(err)
		}
		got, err := s.Kube.CoreV1().ServiceAccounts("team").Get(t.Context(), account.Name, metav1.GetOptions{})
		if err != nil || len(got.ImagePullSecrets) != want {
			t.Errorf("attach=%s: got %v, error %v; want %d names", value, got.ImagePullSecrets, err, want)
		}
	}
}

// TestOwnerless: a Secret without the owner's annotation may be another release's. In a
// namespace that is not selected, only a Secret with the annotation is deleted.
func TestOwnerless(t *testing.T) {
	t.Parallel()
	for name, annotations := range map[string]map[string]string{"ownerless": nil, "owned": {pullsecret.Owner: "ns/lease"}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, _ := newSession(t)
			has := made(annotations, "{}")
			app := &corev1.ServiceAccount{
				ObjectMeta:       metav1.ObjectMeta{Namespace: "team", Name: "app", Annotations: map[string]string{Attach: "true"}},
				ImagePullSecrets: []corev1.LocalObjectReference{{Name: "pull"}},
			}
			secrets, accounts := s.Kube.CoreV1().Secrets("team"), s.Kube.CoreV1().ServiceAccounts("team")
			_, err := secrets.Create(t.Context(), has, metav1.CreateOptions{})
			_, err2 := accounts.Create(t.Context(), app, metav1.CreateOptions{})
			if err := errors.Join(err, err2, s.view.secrets.GetStore().Add(has), s.view.accounts.GetIndexer().Add(app)); err != nil {
				t.Fatal(err)
			}
			if err := s.reconcile(t.Context(), "team"); err != nil {
				t.Fatal(err)
			}
			want := 1 - len(annotations)
			left, err := secrets.List(t.Context(), metav1.ListOptions{})
			got, err2 := accounts.Get(t.Context(), "app", metav1.GetOptions{})
			if err := errors.Join(err, err2); err != nil {
				t.Fatal(err)
			}
			if len(left.Items) != want || len(got.ImagePullSecrets) != want {
				t.Errorf("got %d Secrets and %d names in the service account, want %d of each", len(left.Items), len(got.ImagePullSecrets), want)
			}
		})
	}
}

// made returns a Secret of this program.
func made(annotations map[string]string, content string) *corev1.Secret {
	return &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: "team", Name: "pull", Labels: map[string]string{pullsecret.ManagedBy: pullsecret.Manager}, Annotations: annotations,
		},
		Type: corev1.SecretTypeDockerConfigJson, Data: map[string][]byte{corev1.DockerConfigJsonKey: []byte(content)},
	}
}

// TestMemory: the view holds equal contents once, and no content of others.
func TestMemory(t *testing.T) {
	t.Parallel()
	transform := onlyContent("ns/lease")
	content := func(s *corev1.Secret) []byte {
		t.Helper()
		object, err := transform(s)
		kept, ok := object.(*corev1.Secret)
		if err != nil || !ok {
			t.Fatalf("got %T, error %v; want a Secret", object, err)
		}
		return kept.Data[corev1.DockerConfigJsonKey]
	}
	mine := map[string]string{pullsecret.Owner: "ns/lease"}
	first, second, other := content(made(mine, "same")), content(made(mine, "same")), content(made(mine, "other"))
	if string(first) != "same" || string(second) != "same" || string(other) != "other" {
		t.Errorf("got the contents %q, %q and %q, want them unchanged", first, second, other)
	}
	if &first[0] != &second[0] {
		t.Error("got equal contents in two places, want them in one")
	}
	for name, theirs := range map[string]*corev1.Secret{
		"of another release": made(map[string]string{pullsecret.Owner: "ns/other"}, "same"),
		"of another program": {Data: map[string][]byte{corev1.DockerConfigJsonKey: []byte("same"), "key": []byte("same")}},
	} {
		if content(theirs); theirs.Data != nil {
			t.Errorf("Secret %s: got its content, want none", name)
		}
	}
}

// TestForgotten: a foreign Secret that vanished unseen is not counted any more.
func TestForgotten(t *testing.T) {
	t.Parallel()
	s, o := newSession(t)
	for _, namespace := range []string{"stays", "vanished"} {
		theirs := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "pull", UID: "uid"}}
		if !s.foreign.isNew(theirs) {
			t.Fatalf("%s: got a known Secret, want a new one", namespace)
		}
		if namespace == "stays" {
			if err := s.view.secrets.GetStore().Add(theirs); err != nil {
				t.Fatal(err)
			}
		}
	}
	if s.addAll(); s.foreign.count() != 1 || o.foreign != 1 {
		t.Errorf("got %d Secrets, %d in the metric; want 1", s.foreign.count(), o.foreign)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	c := &Controller{o: s.Options, foreign: s.foreign}
	if c.Run(ctx); s.foreign.count() != 0 || o.foreign != 0 {
		t.Errorf("after the term: got %d Secrets, %d in the metric; want none", s.foreign.count(), o.foreign)
	}
}
