package examples_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestUnits: systemd accepts the units, and nothing waits for the service. No
// target wants it, and it is ordered before no unit.
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
				t.Errorf("%s: %s=%s", unit, key, value)
			case "WantedBy":
				if value != "timers.target" || !strings.HasSuffix(unit, ".timer") {
					t.Errorf("%s: WantedBy=%s", unit, value)
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
			t.Errorf("%s: %v: %s", unit, err, out)
		}
	}
}
