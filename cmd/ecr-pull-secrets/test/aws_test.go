package test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"

	"ecr-cross-account-credential-provider/test/fakeaws"
)

// TestDark: in an outage of AWS of five hours, every Secret stays valid. Then the
// tokens are renewed.
func TestDark(t *testing.T) {
	t.Parallel()
	c, w := sharedCluster(t), newWorld(t)
	c.namespace(t, "dark", "dark")
	r := w.run(t, w.arguments(t, c, "dark")...)
	first := c.has(t, "dark", "dark", w.holdsAll)
	w.dark()
	for range 30 {
		w.advance(t, 10*time.Minute)
		s, err := c.secret(t.Context(), "dark", "dark")
		if err == nil {
			err = w.holdsAll(s)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	r.metricIs(t, `failures_total{class="unavailable"}`, func(n float64) bool { return n >= 3 })
	r.metricIs(t, `token_failing{registry="`+hostOf(accounts[0])+`"}`, func(n float64) bool { return n == 1 })
	c.namespace(t, "dark-new", "dark")
	c.has(t, "dark-new", "dark", w.holdsAll)
	w.light()
	pass := w.passing(t, time.Minute, 3*time.Hour)
	eventually(t, "the tokens are renewed", func() error {
		pass()
		s, err := c.secret(t.Context(), "dark", "dark")
		if err == nil && s.Annotations["ecr-pull-secrets/expires-at"] <= first.Annotations["ecr-pull-secrets/expires-at"] {
			err = fmt.Errorf("got an end at %s, want a later one", s.Annotations["ecr-pull-secrets/expires-at"])
		}
		return err
	})
	c.has(t, "dark", "dark", w.holdsAll)
}

// TestRefused: AWS refuses one role. That role's registry keeps its last valid token,
// and the others are renewed.
func TestRefused(t *testing.T) {
	t.Parallel()
	c, w := sharedCluster(t), newWorld(t)
	c.namespace(t, "refused", "refused")
	r := w.run(t, w.arguments(t, c, "refused")...)
	first := c.has(t, "refused", "refused", w.holdsAll)
	w.SetRole(fakeaws.Role{ARN: roleOf(accounts[0])}) // this role trusts nobody
	w.server.Forget()
	pass := w.passing(t, 10*time.Minute, 2*time.Hour)
	eventually(t, "the others are renewed", func() error {
		pass()
		if n := w.count("GetAuthorizationToken"); n < 2 {
			return fmt.Errorf("got %d new tokens, want 2", n)
		}
		return nil
	})
	r.metricIs(t, `failures_total{class="refused"}`, func(n float64) bool { return n >= 1 })
	second := c.has(t, "refused", "refused", func(s *corev1.Secret) error {
		if string(s.Data[corev1.DockerConfigJsonKey]) == string(first.Data[corev1.DockerConfigJsonKey]) {
			return errors.New("it is as before")
		}
		return w.holdsAll(s)
	})
	if !strings.Contains(r.log.String(), "trust policy") {
		t.Error("got a log that does not say what to do")
	}
	// After twelve hours the token is dropped, and the others stay.
	pass = w.passing(t, 20*time.Minute, 13*time.Hour)
	eventually(t, "the old token is dropped", func() error {
		pass()
		s, err := c.secret(t.Context(), "refused", "refused")
		if err != nil {
			return err
		}
		grants, err := w.grants(s)
		if err == nil && grants[hostOf(accounts[0])] != "" {
			err = errors.New("it is still there")
		}
		if err == nil && len(grants) != 2 {
			t.Fatalf("got a Secret with %d tokens, want 2", len(grants))
		}
		return err
	})
	last, err := c.secret(t.Context(), "refused", "refused")
	if err != nil || last.UID != second.UID {
		t.Errorf("got a new Secret or error %v, want the same Secret", err)
	}
}

// TestTakeOver: a controller starts during an outage of AWS. It keeps the content of
// each Secret, and writes no empty Secret.
func TestTakeOver(t *testing.T) {
	t.Parallel()
	c, w := sharedCluster(t), newWorld(t)
	c.namespace(t, "takeover", "takeover")
	first := w.run(t, w.arguments(t, c, "takeover")...)
	before := c.has(t, "takeover", "takeover", w.holdsAll)
	first.stop()
	w.dark()
	c.namespace(t, "takeover-new", "takeover")
	second := w.run(t, w.arguments(t, c, "takeover")...)
	second.metricIs(t, "syncs_total", func(n float64) bool { return n >= 1 })
	now, err := c.secret(t.Context(), "takeover", "takeover")
	if err == nil {
		err = w.holdsAll(now)
	}
	if err != nil || now.UID != before.UID {
		t.Errorf("got another Secret or error %v, want it as before", err)
	}
	if _, err := c.secret(t.Context(), "takeover-new", "takeover"); err == nil {
		t.Error("got a Secret without tokens, want none")
	}
	w.light()
	pass := w.passing(t, time.Minute, 3*time.Hour)
	eventually(t, "the new namespace has its Secret", func() error {
		pass()
		_, err := c.secret(t.Context(), "takeover-new", "takeover")
		return err
	})
	c.has(t, "takeover-new", "takeover", w.holdsAll)
}
