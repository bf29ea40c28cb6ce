package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"ecr-cross-account-credential-provider/pkg/cli"
	"ecr-cross-account-credential-provider/test/fakeaws"
)

// result is the result of a run of the plugin.
type result struct {
	stdout, stderr string
	status         int
}

// kubeletPatience is the time after which a kubelet kills the plugin.
const kubeletPatience = time.Minute

// command returns a run of the plugin. Its environment is env, with defaults for HOME
// and TEST_PATIENCE.
func command(t *testing.T, env []string, args ...string) *exec.Cmd {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), kubeletPatience)
	t.Cleanup(cancel)
	cmd := exec.CommandContext(ctx, cli.Name, args...)
	cmd.Env = append([]string{"HOME=" + t.TempDir(), "TEST_PATIENCE=1m"}, env...)
	return cmd
}

// ask runs the plugin like a kubelet.
func ask(t *testing.T, env []string, image string, args ...string) result {
	t.Helper()
	cmd := command(t, env, args...)
	cmd.Stdin = strings.NewReader(request(image))
	return run(t, cmd)
}

func request(image string) string {
	return fmt.Sprintf(`{"apiVersion":"credentialprovider.kubelet.k8s.io/v1","kind":"CredentialProviderRequest","image":%q}`, image)
}

func run(t *testing.T, cmd *exec.Cmd) result {
	t.Helper()
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return result{stdout.String(), stderr.String(), cmd.ProcessState.ExitCode()}
}

// wantOneLine checks the form of a failure for a kubelet.
func (r result) wantOneLine(t *testing.T, contains string) {
	t.Helper()
	if r.status != 1 || r.stdout != "" {
		t.Errorf("got status %d, stdout %q; want 1 and nothing", r.status, r.stdout)
	}
	line := r.stderr
	if strings.ContainsAny(line, "\r\n") || len(line) > 4096 || !strings.HasPrefix(line, cli.Name+": ") {
		t.Errorf("got stderr %q, want one line of the program", r.stderr)
	}
	if !strings.Contains(line, contains) {
		t.Errorf("got stderr %q, want %q in it", line, contains)
	}
}

// wantNoSecret looks for secrets of AWS, and of the service account.
func (r result) wantNoSecret(t *testing.T) {
	t.Helper()
	for _, mark := range fakeaws.SecretMarks() {
		if strings.Contains(r.stderr, mark) {
			t.Errorf("got stderr %s, want no secret (%s…)", r.stderr, mark)
		}
	}
}

func startAWS(t *testing.T, o fakeaws.Options) *fakeaws.Server {
	t.Helper()
	o.Dir = t.TempDir()
	server, err := fakeaws.Start(fakeaws.ExampleWorld(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := server.Close(); err != nil {
			t.Error(err)
		}
	})
	return server
}

// writeConfig writes a configuration, and returns its path.
func writeConfig(t *testing.T, registries string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "config.yaml")
	text := "apiVersion: ecr-cross-account-credential-provider/v1alpha1\nkind: CrossAccountConfig\n" + registries
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

const oneRole = `
registries:
- accounts: ["444455556666"]
  assumeRoles:
  - arn: arn:aws:iam::444455556666:role/ecr-pull
`

// hasty is oneRole with a short deadline, for faults that only the deadline ends.
const hasty = oneRole + "deadline: 3s\n"
