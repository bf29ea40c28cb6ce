package release_test

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// wantVersion runs a program's version command, as text and as JSON. before are the
// words in front of the program, such as those of chroot.
func (r release) wantVersion(t *testing.T, program string, before ...string) {
	t.Helper()
	run := func(args ...string) string {
		all := append(append(before[:len(before):len(before)], program), args...)
		return must(t, all[0], all[1:]...)
	}
	base := filepath.Base(program)
	base, _, _ = strings.Cut(base, "-linux-")
	if base == "ecr-credential-provider" { // the plugin under the stock plugin's name
		base = name
	}
	text := fmt.Sprintf("%s v%s (commit %s of %s, %s)\n", base, r.version, r.commit, r.date, runtime.Version())
	if got := run("version"); got != text {
		t.Errorf("%s version: got %q, want %q", program, got, text)
	}
	var got map[string]string
	if err := json.Unmarshal([]byte(run("version", "--output", "json")), &got); err != nil {
		t.Fatal(err)
	}
	want := map[string]string{"version": "v" + r.version, "commit": r.commit, "date": r.date, "go": runtime.Version()}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("%s version --output json: got %v, want %v", program, got, want)
	}
}
