package pullsecret_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"ecr-cross-account-credential-provider/cmd/ecr-pull-secrets/internal/dockerconfig"
	"ecr-cross-account-credential-provider/cmd/ecr-pull-secrets/internal/pullsecret"
	"ecr-cross-account-credential-provider/pkg/secret"
)

var now = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

func credential(key, login string, life time.Duration) dockerconfig.Credential {
	return dockerconfig.Credential{Key: key, Login: secret.New(login), Expires: now.Add(life)}
}

const owner = "pull-secrets/lease"

func anyKey(string) bool { return true }

// written returns the Secret as the API server stores it after an apply.
func written(t *testing.T, c pullsecret.Content) *corev1.Secret {
	t.Helper()
	text, err := json.Marshal(c.Configuration("team", "pull", nil))
	s := &corev1.Secret{}
	if err == nil {
		err = json.Unmarshal(text, s)
	}
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func content(t *testing.T, valid []dockerconfig.Credential, known func(string) bool, has *corev1.Secret) pullsecret.Content {
	t.Helper()
	c, some, err := pullsecret.Of(owner, valid, known, has, now)
	if err != nil || !some {
		t.Fatalf("got no content, error %v; want some", err)
	}
	return c
}

func TestContent(t *testing.T) {
	t.Parallel()
	c := content(t, []dockerconfig.Credential{credential("a", "AWS:1", 12*time.Hour), credential("b", "AWS:2", time.Hour)}, anyKey, nil)
	s := written(t, c)
	if want := now.Add(time.Hour).Format(time.RFC3339); s.Annotations[pullsecret.ExpiresAt] != want {
		t.Errorf("got the expiry %s, want the earliest one, %s", s.Annotations[pullsecret.ExpiresAt], want)
	}
	if !pullsecret.Owned(s, owner) || !c.In(s) {
		t.Error("got a Secret of others or with other content, want the program's")
	}
	for name, change := range map[string]func(*corev1.Secret){
		"data":       func(s *corev1.Secret) { s.Data[corev1.DockerConfigJsonKey] = []byte("{}") },
		"annotation": func(s *corev1.Secret) { s.Annotations[pullsecret.Registries] = "" },
		"owner":      func(s *corev1.Secret) { delete(s.Annotations, pullsecret.Owner) },
	} {
		changed := s.DeepCopy()
		if change(changed); c.In(changed) {
			t.Errorf("changed %s: got true, want false", name)
		}
	}
}

func TestOwned(t *testing.T) {
	t.Parallel()
	ours := written(t, content(t, []dockerconfig.Credential{credential("a", "AWS:1", time.Hour)}, anyKey, nil))
	unlabelled, opaque := ours.DeepCopy(), ours.DeepCopy()
	unlabelled.Labels, opaque.Type = nil, corev1.SecretTypeOpaque
	if !pullsecret.Owned(ours, owner) || pullsecret.Owned(unlabelled, owner) || pullsecret.Owned(opaque, owner) {
		t.Error("want only the Secret with both the label and the type to be owned")
	}
	if pullsecret.Owned(ours, "pull-secrets/other") || !pullsecret.Made(ours) {
		t.Error("got the Secret of another release owned, or not made by this program; want only the latter")
	}
	old := ours.DeepCopy()
	delete(old.Annotations, pullsecret.Owner)
	if !pullsecret.Owned(old, owner) {
		t.Error("want the Secret of an older version to be owned")
	}
}

// TestKept: credentials of the Secret stay as long as they are valid and their keys
// are known.
func TestKept(t *testing.T) {
	t.Parallel()
	all := []dockerconfig.Credential{
		credential("renewed", "AWS:old", 3*time.Hour), credential("failing", "AWS:good", 2*time.Hour),
		credential("removed", "AWS:x", time.Hour), credential("ended", "AWS:x", time.Minute),
	}
	has := written(t, content(t, all, anyKey, nil))
	has.Annotations[pullsecret.Registries] = has.Annotations[pullsecret.Registries][:len(has.Annotations[pullsecret.Registries])-1] +
		`,"forged":"2999-01-01T00:00:00Z"}`
	later := now.Add(time.Hour - time.Second)
	c, some, err := pullsecret.Of(owner, []dockerconfig.Credential{credential("renewed", "AWS:new", 12*time.Hour)}, func(key string) bool { return key != "removed" }, has, later)
	if err != nil || !some {
		t.Fatal(err)
	}
	if diff := cmp.Diff(map[string]string{"renewed": "AWS:new", "failing": "AWS:good"}, logins(t, c)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// logins returns the logins of a content by key.
func logins(t *testing.T, c pullsecret.Content) map[string]string {
	t.Helper()
	decoded, ok := dockerconfig.Decode(written(t, c).Data[corev1.DockerConfigJsonKey])
	if !ok {
		t.Fatal("got a Secret whose content cannot be decoded")
	}
	all := map[string]string{}
	for key, login := range decoded {
		all[key] = login.Reveal()
	}
	return all
}

// TestOverdue: the old token of a leader that could not renew it does not replace a newer
// one in the Secret.
func TestOverdue(t *testing.T) {
	t.Parallel()
	var all []dockerconfig.Credential
	for _, key := range []string{"overdue", "overdue, but newer", "in time"} {
		all = append(all, credential(key, "AWS:secret", 6*time.Hour))
	}
	has := written(t, content(t, all, anyKey, nil))
	overdue, newer := credential("overdue", "AWS:own", 3*time.Hour), credential("overdue, but newer", "AWS:own", 9*time.Hour)
	overdue.Overdue, newer.Overdue = true, true
	c := content(t, []dockerconfig.Credential{overdue, newer, credential("in time", "AWS:own", 3*time.Hour)}, anyKey, has)
	if diff := cmp.Diff(map[string]string{"overdue": "AWS:secret", "overdue, but newer": "AWS:own", "in time": "AWS:own"}, logins(t, c)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if ends := written(t, c).Annotations[pullsecret.ExpiresAt]; ends != now.Add(3*time.Hour).Format(time.RFC3339) {
		t.Errorf("got the expiry %s, want that of the token in time", ends)
	}
}

// TestNothing: there is no content without a valid token.
func TestNothing(t *testing.T) {
	t.Parallel()
	unreadable := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Annotations: map[string]string{pullsecret.Registries: "{"}}, Data: map[string][]byte{corev1.DockerConfigJsonKey: []byte("{")}}
	for _, has := range []*corev1.Secret{nil, {}, unreadable} {
		if _, some, err := pullsecret.Of(owner, nil, anyKey, has, now); some || err != nil {
			t.Errorf("%v: got content or error %v, want neither", has, err)
		}
	}
}

// TestPrecondition: a Secret is written only if it has not changed since it was
// read.
func TestPrecondition(t *testing.T) {
	t.Parallel()
	has := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{UID: "uid", ResourceVersion: "7"}}
	a := content(t, []dockerconfig.Credential{credential("a", "AWS:1", time.Hour)}, anyKey, nil).Configuration("team", "pull", has)
	if *a.UID != "uid" || *a.ResourceVersion != "7" {
		t.Errorf("got UID %v and resource version %v, want uid and 7", *a.UID, *a.ResourceVersion)
	}
}
