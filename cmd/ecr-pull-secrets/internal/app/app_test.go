package app_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	testclock "k8s.io/utils/clock/testing"

	"ecr-cross-account-credential-provider/cmd/ecr-pull-secrets/internal/app"
	"ecr-cross-account-credential-provider/pkg/command"
)

// run runs the program outside a cluster and returns its exit status and output.
func run(t *testing.T, args ...string) (status int, stdout, stderr string) {
	t.Helper()
	var out, err bytes.Buffer
	status = app.Main(t.Context(), command.Process{
		Args: args, Stdin: strings.NewReader(""), Stdout: &out, Stderr: &err, Version: "v1",
		Getenv: func(string) string { return "" }, Environ: func() []string { return nil },
		DefaultConfig: filepath.Join(t.TempDir(), "absent.yaml"), Now: time.Now, Random: func() float64 { return 0 },
	}, testclock.NewFakeClock(time.Now()))
	return status, out.String(), err.String()
}

func config(t *testing.T, entries string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "config.yaml")
	text := "apiVersion: ecr-cross-account-credential-provider/v1alpha1\nkind: CrossAccountConfig\nregistries:\n" + entries
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

func TestCommandLine(t *testing.T) {
	t.Parallel()
	good := config(t, "- {accounts: [\"444455556666\"], regions: [eu-west-1]}\n")
	bad := config(t, "- {accounts: [\"444455556666\"]}\n")
	tests := []struct {
		name           string
		args           []string
		status         int
		stdout, stderr string // these are parts of the output
	}{
		{"help", []string{"help"}, 0, "usage: ecr-pull-secrets --config FILE [--kubeconfig FILE]", ""},
		{"help of run", []string{"help", "run"}, 0, "--namespace-selector LABELS", ""},
		{"version", []string{"version"}, 0, "ecr-pull-secrets v1 (go1.", ""},
		{"version as JSON", []string{"version", "--output=json"}, 0, `"version": "v1",`, ""},
		{"no configuration", nil, 2, "", "no configuration: "},
		{"a configuration that is absent", []string{"--config=/nonexistent"}, 2, "", "/nonexistent: not found"},
		{"a configuration without regions", []string{"--config=" + bad}, 2, "", "registries[0].regions: is required here"},
		{"outside a cluster", []string{"--config=" + good}, 2, "", "this is not a pod in a cluster; name the cluster with --kubeconfig"},
		{"a kubeconfig that is absent", []string{"--config=" + good, "--kubeconfig=/nonexistent"}, 2, "", "reading --kubeconfig: "},
		{"not a selector", []string{"--config=" + good, "--namespace-selector=a=b=c"}, 2, "", `--namespace-selector "a=b=c" is not a selector of labels`},
		{"not a name", []string{"--config=" + good, "--secret-name=A"}, 2, "", `--secret-name "A" is not the name of a Secret`},
		{"not a Lease's name", []string{"--config=" + good, "--lease=A"}, 2, "", `--lease "A" is not the name of a Lease`},
		{"an unknown flag", []string{"--namespaces=x"}, 2, "", "flag provided but not defined"},
		{"an unknown command", []string{"start"}, 2, "", `unknown command "start"`},
		{"an argument", []string{"run", "now"}, 2, "", `run takes no argument "now"`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			status, stdout, stderr := run(t, test.args...)
			if status != test.status {
				t.Errorf("got status %d, want %d", status, test.status)
			}
			if !strings.Contains(stdout, test.stdout) || !strings.Contains(stderr, test.stderr) {
				t.Errorf("got stdout %q, stderr %q; want %q, %q", stdout, stderr, test.stdout, test.stderr)
			}
			if test.stderr == "" && stderr != "" || test.stdout == "" && stdout != "" {
				t.Errorf("got stdout %q, stderr %q; want one of them empty", stdout, stderr)
			}
			if stderr != "" && (strings.Count(stderr, "\n") > 0 || !strings.HasPrefix(stderr, "ecr-pull-secrets: ")) && test.name != "an unknown command" {
				t.Errorf("got stderr %q, want one line", stderr)
			}
		})
	}
}
