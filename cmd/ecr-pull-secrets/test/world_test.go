package test

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	testclock "k8s.io/utils/clock/testing"

	"ecr-cross-account-credential-provider/test/fakeaws"
)

// These are the accounts of the tests. Each has a role that can pull and trusts the
// controller's role.
const (
	controllerRole = "arn:aws:iam::" + fakeaws.NodeAccount + ":role/ecr-pull-secrets"
	thirdAccount   = "123456789012"
)

var accounts = []string{fakeaws.FirstAccount, fakeaws.SecondAccount, thirdAccount}

func roleOf(account string) string { return "arn:aws:iam::" + account + ":role/ecr-pull" }
func hostOf(account string) string { return account + ".dkr.ecr.eu-west-1.amazonaws.com" }

// world is AWS, and the clock for all long waits.
type world struct {
	*fakeaws.World
	server *fakeaws.Server
	clock  *testclock.FakeClock
	// profile is the controller's identity.
	profile string
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{World: fakeaws.NewWorld(fakeaws.Node{Region: "eu-west-1", Role: controllerRole}), clock: testclock.NewFakeClock(time.Now())}
	for _, account := range accounts {
		w.SetRole(fakeaws.Role{ARN: roleOf(account), Trust: []fakeaws.Trust{{Principal: controllerRole}}})
	}
	var err error
	if w.server, err = fakeaws.Start(w.World, fakeaws.Options{}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = w.server.Close() })
	c := w.Issue(controllerRole, "controller", 10_000*time.Hour)
	w.profile = filepath.Join(t.TempDir(), "aws")
	text := fmt.Sprintf("[default]\naws_access_key_id = %s\naws_secret_access_key = %s\naws_session_token = %s\n", c.AccessKeyID, c.SecretAccessKey, c.SessionToken)
	if err := os.WriteFile(w.profile, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return w
}

// waits is the number of waits by the clock in an idle controller: for the next
// token, and for the next session.
const waits = 2

// advance lets time pass for AWS and for the world's only controller. It waits
// until the controller has requested all tokens that are due.
func (w *world) advance(t *testing.T, d time.Duration) {
	t.Helper()
	idle := func() error {
		if n := w.clock.Waiters(); n != waits {
			return fmt.Errorf("got %d waits, want %d", n, waits)
		}
		return nil
	}
	eventually(t, "the controller has nothing to do", idle)
	w.Pass(d)
	w.clock.Step(d)
	eventually(t, "the controller has nothing to do", idle)
}

// passing returns a function that lets time pass by one step. After all steps, the
// function leaves the clock as it is, so that a busy machine can finish the work that
// is due. If the clock moved on by 10 minutes before the controller had listed
// everything, the controller would start to list again.
func (w *world) passing(t *testing.T, step, sum time.Duration) func() {
	return func() {
		if t.Helper(); sum > 0 {
			sum -= step
			w.advance(t, step)
		}
	}
}

// config writes a configuration with these entries and returns its path. The
// controller's identity is the profile.
func (w *world) config(t *testing.T, entries string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "config.yaml")
	text := fmt.Sprintf(`apiVersion: ecr-cross-account-credential-provider/v1alpha1
kind: CrossAccountConfig
node: {configFile: %q}
endpoints:
  ecr: {eu-west-1: %q}
  sts: {eu-west-1: %q}
registries:
%s`, w.profile, w.server.URL(fakeaws.ECR), w.server.URL(fakeaws.STS), entries)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// threeRegistries are the entries of three accounts with a role each.
func threeRegistries() string {
	var s strings.Builder
	for _, account := range accounts {
		fmt.Fprintf(&s, "- accounts: [%q]\n  regions: [eu-west-1]\n  assumeRoles: [{arn: %q}]\n", account, roleOf(account))
	}
	return s.String()
}

// dark starts an outage of AWS.
func (w *world) dark() {
	for _, service := range []fakeaws.Service{fakeaws.STS, fakeaws.ECR} {
		w.server.Break(service, fakeaws.Fault{Kind: fakeaws.Refuse})
	}
}

// light ends the outage.
func (w *world) light() {
	for _, service := range []fakeaws.Service{fakeaws.STS, fakeaws.ECR} {
		w.server.Mend(service)
	}
}

// count returns how often AWS has executed an operation.
func (w *world) count(operation string) (n int) {
	for _, c := range w.server.Calls() {
		if c.Operation == operation && c.Outcome == "ok" {
			n++
		}
	}
	return n
}

// grants returns the role of each token of the Secret, by registry. A token that AWS
// did not mint, or that has expired, is an error.
func (w *world) grants(s *corev1.Secret) (map[string]string, error) {
	if s.Type != corev1.SecretTypeDockerConfigJson {
		return nil, fmt.Errorf("got the type %q, want %q", s.Type, corev1.SecretTypeDockerConfigJson)
	}
	var file struct {
		Auths map[string]struct{ Auth string }
	}
	if err := json.Unmarshal(s.Data[corev1.DockerConfigJsonKey], &file); err != nil {
		return nil, err
	}
	all := map[string]string{}
	for key, auth := range file.Auths {
		login, err := base64.StdEncoding.DecodeString(auth.Auth)
		if err != nil {
			return nil, err
		}
		user, password, _ := strings.Cut(string(login), ":")
		grant, err := w.ReadToken(password)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", key, err)
		}
		if user != "AWS" {
			return nil, fmt.Errorf("%s: got user %q, want AWS", key, user)
		}
		all[key] = grant.Role
	}
	return all, nil
}

// holdsAll returns an error unless a Secret has a valid token of each account's
// role.
func (w *world) holdsAll(s *corev1.Secret) error {
	grants, err := w.grants(s)
	if err != nil {
		return err
	}
	for _, account := range accounts {
		if grants[hostOf(account)] != roleOf(account) {
			return fmt.Errorf("%s: got a token of %q, want %q", hostOf(account), grants[hostOf(account)], roleOf(account))
		}
	}
	if len(grants) != len(accounts) {
		return fmt.Errorf("got %d tokens, want %d", len(grants), len(accounts))
	}
	return nil
}
