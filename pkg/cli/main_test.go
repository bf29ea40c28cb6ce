package cli

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

const configHead = "apiVersion: ecr-cross-account-credential-provider/v1alpha1\nkind: CrossAccountConfig\n"

// TestMain removes the developer's own AWS settings from the environment, which the
// SDK reads.
func TestMain(m *testing.M) {
	for _, variable := range os.Environ() {
		if name, _, _ := strings.Cut(variable, "="); strings.HasPrefix(name, "AWS_") {
			_ = os.Unsetenv(name)
		}
	}
	_ = os.Setenv("AWS_CONFIG_FILE", "/nonexistent")
	_ = os.Setenv("AWS_SHARED_CREDENTIALS_FILE", "/nonexistent")
	os.Exit(m.Run())
}

// output is what a run of the program wrote, and its exit status.
type output struct {
	status         int
	stdout, stderr string
}

// runMain runs the program in this process, without a configuration and a cache
// unless change sets them.
func runMain(t *testing.T, change func(*Process), args ...string) output {
	t.Helper()
	var stdout, stderr bytes.Buffer
	p := Process{
		Args: args, Stdin: strings.NewReader(""), Stdout: &stdout, Stderr: &stderr,
		Getenv: func(string) string { return "" }, Environ: func() []string { return nil },
		Version: "v1.2.3", DefaultConfig: filepath.Join(t.TempDir(), "config.yaml"), Hostname: "host-1",
		Now: time.Now, Random: func() float64 { return 0.5 },
	}
	if change != nil {
		change(&p)
	}
	status := Main(t.Context(), p)
	return output{status, stdout.String(), stderr.String()}
}

// writeConfig writes a configuration with an owner and mode that the plugin
// accepts.
func writeConfig(t *testing.T, text string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "config.yaml")
	if err := os.WriteFile(file, []byte(configHead+text), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

func requestText(image string) string {
	return `{"apiVersion":"credentialprovider.kubelet.k8s.io/v1","kind":"CredentialProviderRequest","image":"` + image + `"}`
}

// never is a stream that blocks.
type never struct{}

func (never) Read([]byte) (int, error)  { select {} }
func (never) Write([]byte) (int, error) { select {} }

// failing is a stream that is closed.
type failing struct{}

func (failing) Write([]byte) (int, error) { return 0, os.ErrClosed }

var (
	_ io.ReadWriter = never{}
	_ io.Writer     = failing{}
)
