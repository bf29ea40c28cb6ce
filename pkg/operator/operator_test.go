package operator

import (
	"bytes"
	"strings"
	"testing"

	"ecr-cross-account-credential-provider/pkg/command"
)

func TestVersion(t *testing.T) {
	t.Parallel()
	var stdout, stderr bytes.Buffer
	status := Main(t.Context(), command.Process{Args: []string{"version"}, Stdout: &stdout, Stderr: &stderr, Version: "v1.2.3"})
	if status != 0 || !strings.HasPrefix(stdout.String(), "ecr-cross-account v1.2.3 (") || stderr.Len() > 0 {
		t.Errorf("got status %d, stdout %q, stderr %q; want the version", status, &stdout, &stderr)
	}
}

// TestHelp: every command has a summary and a help text.
func TestHelp(t *testing.T) {
	t.Parallel()
	for _, c := range CommandLine(command.Process{}).Commands {
		var stdout, stderr bytes.Buffer
		status := Main(t.Context(), command.Process{Args: []string{"help", c.Name}, Stdout: &stdout, Stderr: &stderr})
		if status != 0 || c.Summary == "" || !strings.Contains(stdout.String(), c.Summary) {
			t.Errorf("help %s: got status %d, stdout %q, stderr %q; want the summary %q", c.Name, status, &stdout, &stderr, c.Summary)
		}
	}
}

// TestEndsItself: after a signal, the commands that change a node restore its files before
// they end.
func TestEndsItself(t *testing.T) {
	t.Parallel()
	for _, c := range CommandLine(command.Process{}).Commands {
		if want := c.Name == "install" || c.Name == "uninstall"; c.EndsItself != want {
			t.Errorf("%s: got EndsItself %t, want %t", c.Name, c.EndsItself, want)
		}
	}
}
