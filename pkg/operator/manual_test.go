package operator

import (
	"bytes"
	"strings"
	"testing"

	"ecr-cross-account-credential-provider/pkg/cli"
	"ecr-cross-account-credential-provider/pkg/command"
)

// TestManual: both programs have a page and completions.
func TestManual(t *testing.T) {
	t.Parallel()
	for args, want := range map[string]struct {
		status int
		text   string // in stdout, or in stderr if the status is not 0
	}{
		"man":                                 {0, ".SS doctor "},
		"man ecr-cross-account":               {0, ".SS doctor "},
		"man " + cli.Name:                     {0, ".SS explain IMAGE\n"},
		"man ecr-cross":                       {2, `no program "ecr-cross"`},
		"man x y":                             {2, "man takes one program, not 2"},
		"completion bash":                     {0, "complete -o default -F _ecr_cross_account_credential_provider " + cli.Name + "\n"},
		"completion zsh":                      {0, "#compdef ecr-cross-account " + cli.Name + "\n"},
		"completion fish":                     {2, "want ecr-cross-account completion bash|zsh"},
		"completion":                          {2, "want ecr-cross-account completion bash|zsh"},
		"completion bash --output json extra": {2, "flag provided but not defined: -output"},
	} {
		var stdout, stderr bytes.Buffer
		status := Main(t.Context(), command.Process{Args: strings.Fields(args), Stdout: &stdout, Stderr: &stderr, Version: "v1"})
		got := stdout.String()
		if want.status != 0 {
			got = stderr.String()
		}
		if status != want.status || !strings.Contains(got, want.text) {
			t.Errorf("%s: got status %d\n%s%swant %d and %q", args, status, &stdout, &stderr, want.status, want.text)
		}
	}
}
