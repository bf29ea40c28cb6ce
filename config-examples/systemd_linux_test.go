package examples_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestUnits: systemd accepts the units, and nothing waits for the service. No target
// wants the service, and no unit is ordered after it.
func TestUnits(t *testing.T) {
	t.Parallel()
	for _, unit := range units {
		text, err := os.ReadFile(unit)
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(text)) {
			key, value, _ := strings.Cut(strings.TrimSpace(line), "=")
			switch key {
			case "Before", "After", "Requires", "Wants", "BindsTo", "RequiredBy":
				t.Errorf("%s: got %s=%s; want no such line", unit, key, value)
			case "WantedBy":
				if value != "timers.target" || !strings.HasSuffix(unit, ".timer") {
					t.Errorf("%s: got WantedBy=%s; want only timers.target", unit, value)
				}
			}
		}
	}
	verify, err := exec.LookPath("systemd-analyze")
	if err != nil {
		t.Fatal("install the Debian package systemd, which has systemd-analyze")
	}
	dir := t.TempDir()
	for _, unit := range units {
		text, err := os.ReadFile(unit)
		if err != nil {
			t.Fatal(err)
		}
		installed := strings.ReplaceAll(string(text), "/usr/local/bin/ecr-cross-account-credential-provider", "/bin/true")
		if err := os.WriteFile(filepath.Join(dir, filepath.Base(unit)), []byte(installed), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, unit := range units {
		out, err := exec.Command(verify, "verify", "--man=no", filepath.Join(dir, filepath.Base(unit))).CombinedOutput()
		if err != nil || len(out) > 0 {
			t.Errorf("%s: got error %v, %s; want neither", unit, err, out)
		}
	}
}

// TestUnitsOfInstall: install writes the same units for a kubelet with the example's
// paths.
func TestUnitsOfInstall(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	write(t, root+"/usr/lib/systemd/systemd", "", 0o755)
	write(t, root+"/config.yaml", read(t, "minimal.yaml"), 0o644)
	out, err := exec.CommandContext(t.Context(), programs+"/"+tool, "install", "--root", root, "--config", root+"/config.yaml", "--kubelet-version", "v1.34",
		"--platform", "generic", "--bin-dir", "/usr/local/bin", "--provider-config", "/etc/kubernetes/credential-provider.yaml").CombinedOutput()
	if err != nil {
		t.Fatalf("got %v, want success:\n%s", err, out)
	}
	for _, unit := range units {
		want, got := directives(read(t, unit)), directives(read(t, root+"/etc/systemd/system/"+filepath.Base(unit)))
		if len(want) < 5 || !slices.Equal(want, got) {
			t.Errorf("%s: got %q of install; want %q", unit, got, want)
		}
	}
}

// directives returns the lines of a unit that systemd reads.
func directives(unit string) (lines []string) {
	for line := range strings.Lines(unit) {
		if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "#") {
			lines = append(lines, line)
		}
	}
	return lines
}
