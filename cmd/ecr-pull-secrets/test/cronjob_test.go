//go:build awscli

package test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"

	"ecr-cross-account-credential-provider/test/fakeaws"
)

// TestCronJob measures the cost of a CronJob with the AWS CLI and kubectl that runs
// every six hours. Each namespace costs the same, so the test measures with two numbers
// of namespaces.
func TestCronJob(t *testing.T) {
	t.Parallel()
	c, w := sharedCluster(t), newWorld(t)
	const few, some, runs = 3, 13, 4
	for i := range few {
		c.namespace(t, fmt.Sprint("cronjob-few-", i), "cronjob-few")
	}
	for i := range some {
		c.namespace(t, fmt.Sprint("cronjob-some-", i), "cronjob-some")
	}
	f := newFront(t, c)
	w.cronJob(t, f, "cronjob-few")
	w.cronJob(t, f, "cronjob-some") // later runs find existing Secrets
	roles, tokens := w.count("AssumeRole"), w.count("GetAuthorizationToken")
	first := w.cronJob(t, f, "cronjob-few")
	figure(t, "AssumeRole", cronJob, runs*float64(w.count("AssumeRole")-roles), 0)
	figure(t, "GetAuthorizationToken", cronJob, runs*float64(w.count("GetAuthorizationToken")-tokens), 0)
	second := w.cronJob(t, f, "cronjob-some")
	c.has(t, "cronjob-some-0", "ecr-"+accounts[0], func(*corev1.Secret) error { return nil })
	all := func(a, b float64) float64 { return runs * (a + (b-a)/(some-few)*(many-few)) }
	figure(t, "requests to the API server", cronJob, all(first.requests, second.requests), 0.1)
	figure(t, "MB to and from the API server", cronJob, all(first.bytes, second.bytes)/1e6, 0.3)
	figure(t, "Secrets written", cronJob, runs*many*float64(len(accounts)), 0)
	t.Logf("a day takes %s of CPU", time.Duration(all(float64(first.cpu), float64(second.cpu))).Round(time.Second))
}

// cost is the cost of a run.
type cost struct {
	requests, bytes float64
	cpu             time.Duration
}

// cronJob runs the job once, without earlier state, as in a new container.
func (w *world) cronJob(t *testing.T, f *front, team string) cost {
	t.Helper()
	requests, bytes := f.requests.Load(), f.bytes.Load()
	program, err := filepath.Abs(bin)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), "./cronjob.sh")
	cmd.Env = append(os.Environ(), "PATH="+program+":"+os.Getenv("PATH"), "HOME="+t.TempDir(), "KUBECONFIG="+f.kubeconfig(t),
		"AWS_SHARED_CREDENTIALS_FILE="+w.profile, "AWS_DEFAULT_REGION=eu-west-1", "TEAM="+team, "ACCOUNTS="+strings.Join(accounts, " "),
		"STS="+w.server.URL(fakeaws.STS), "ECR="+w.server.URL(fakeaws.ECR))
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return cost{float64(f.requests.Load() - requests), float64(f.bytes.Load() - bytes), cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()}
}
