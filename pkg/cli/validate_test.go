package cli

import (
	"encoding/json"
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
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

// TestValidateNoPermissions: with --no-permissions the group may write the file, as
// in a pipeline's checkout.
func TestValidateNoPermissions(t *testing.T) {
	t.Parallel()
	file := writeConfig(t, goodEntry)
	if err := os.Chmod(file, 0o664); err != nil {
		t.Fatal(err)
	}
	if got := runMain(t, nil, "validate", file); got.status != 3 || !strings.Contains(got.stdout, "writable by group or others") {
		t.Errorf("with the check: got %+v; want a problem", got)
	}
	if got := runMain(t, nil, "validate", "--no-permissions", file); got != (output{0, "ok\n", ""}) {
		t.Errorf("without the check: got %+v; want ok", got)
	}
}

// TestValidateWarns: a warning does not make the configuration invalid.
func TestValidateWarns(t *testing.T) {
	t.Parallel()
	file := writeConfig(t, goodEntry+"  assumeRoles: [{arn: \"arn:aws:iam::777788889999:role/pull\"}]\n")
	got := runMain(t, nil, "validate", file)
	if got.status != 0 || got.stdout != "ok\n" || !strings.HasPrefix(got.stderr, "warning: "+file+":5: registries[0].assumeRoles[0].arn: ") {
		t.Errorf("got %+v; want ok and a warning", got)
	}
}

// TestValidateJSON: the lists are never null.
func TestValidateJSON(t *testing.T) {
	t.Parallel()
	const none = `[]`
	for text, want := range map[string]struct {
		status                    int
		valid, problems, warnings string
	}{
		configHead + goodEntry: {0, "true", none, none},
		configHead: {
			3, "false", `[{"file": "stdin", "line": 1, "path": "registries", "message": "is required; want a list of entries with accounts"}]`, none,
		},
		configHead + goodEntry + "  assumeRoles: [{arn: \"arn:aws:iam::777788889999:role/pull\"}]\n": {
			0, "true", none, `[{"file": "stdin", "line": 5, "path": "registries[0].assumeRoles[0].arn", "message": "account 777788889999 of the role that requests the token is not one of this entry's accounts; repository policies must then allow that account"}]`,
		},
	} {
		got := runMain(t, func(p *Process) { p.Stdin = strings.NewReader(text) }, "validate", "-", "--output", "json")
		var report map[string]json.RawMessage
		if err := json.Unmarshal([]byte(got.stdout), &report); err != nil || got.status != want.status || got.stderr != "" || len(report) != 3 {
			t.Fatalf("got %+v, error %v; want status %d and JSON", got, err, want.status)
		}
		for field, text := range map[string]string{"valid": want.valid, "problems": want.problems, "warnings": want.warnings} {
			var g, w any
			if err := errors.Join(json.Unmarshal(report[field], &g), json.Unmarshal([]byte(text), &w)); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(w, g); diff != "" {
				t.Errorf("%s (-want +got):\n%s", field, diff)
			}
		}
	}
}
