package cli

import (
	"os"
	"strings"
	"testing"
)

const goodEntry = "registries:\n- accounts: [\"444455556666\"]\n"

// TestValidateStdin: "-" is the configuration on stdin, for pipelines.
func TestValidateStdin(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]output{
		configHead + goodEntry: {0, "ok\n", ""},
		configHead:             {3, "stdin:1: registries: is required; want a list of entries with accounts\n", ""},
	} {
		if got := runMain(t, func(p *Process) { p.Stdin = strings.NewReader(text) }, "validate", "-"); got != want {
			t.Errorf("got %+v, want %+v", got, want)
		}
	}
}

// TestValidateNoPermissions: in a pipeline's checkout files may be writable by the
// group.
func TestValidateNoPermissions(t *testing.T) {
	t.Parallel()
	file := writeConfig(t, goodEntry)
	if err := os.Chmod(file, 0o664); err != nil {
		t.Fatal(err)
	}
	if got := runMain(t, nil, "validate", file); got.status != 3 || !strings.Contains(got.stdout, "writable by group or others") {
		t.Errorf("with the check: %+v", got)
	}
	if got := runMain(t, nil, "validate", "--no-permissions", file); got != (output{0, "ok\n", ""}) {
		t.Errorf("without: %+v", got)
	}
}

// TestValidateWarns: a warning is no problem.
func TestValidateWarns(t *testing.T) {
	t.Parallel()
	file := writeConfig(t, goodEntry+"  assumeRoles: [{arn: \"arn:aws:iam::777788889999:role/pull\"}]\n")
	got := runMain(t, nil, "validate", file)
	if got.status != 0 || got.stdout != "ok\n" || !strings.HasPrefix(got.stderr, "warning: "+file+":5: registries[0].assumeRoles[0].arn: ") {
		t.Errorf("got %+v", got)
	}
}
