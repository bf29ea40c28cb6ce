package controller

import (
	"context"
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
