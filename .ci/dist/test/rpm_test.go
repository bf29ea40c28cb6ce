package release_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// rpm runs rpm for a machine, and returns what it prints. Debian's rpm requires
// --nodeps.
func (m machine) rpm(args ...string) (string, error) {
	return output("", nil, "rpm", append([]string{"--root", m.root, "--nodeps"}, args...)...)
}

func (m machine) mustRPM(args ...string) string {
	m.t.Helper()
	out, err := m.rpm(args...)
	if err != nil {
		m.t.Fatal(err)
	}
	return out
}

// TestRPM installs, upgrades, verifies and erases the package.
func TestRPM(t *testing.T) {
	t.Parallel()
	one, two, m := get(t, first), get(t, next), newMachine(t)
	for _, dir := range []string{"/usr/share/licenses", "/usr/share/zsh/site-functions"} { // the directories of Red Hat's own packages
		if err := os.MkdirAll(filepath.Join(m.root, dir), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	before := m.tree()
	m.mustRPM("--install", "--force-debian", one.file(t, "*.x86_64.rpm"))
	m.checkInstalled(one)
	m.checkOwned(m.newPaths(before))
	if out := m.mustRPM("--verify", name); out != "" {
		t.Errorf("rpm --verify: got %s, want nothing", out)
	}

	m.use()
	m.installPlugin()
	m.mustRPM("--upgrade", "--force-debian", two.file(t, "*.x86_64.rpm"))
	m.checkInstalled(two)
	if out := m.mustRPM("--verify", name); out != "" {
		t.Errorf("rpm --verify: got %s, want nothing", out)
	}
	for _, path := range leftBehind {
		m.want(path, own)
	}
	if _, err := m.rpm("--erase", "--force-debian", name); err == nil || !strings.Contains(err.Error(), refusing) {
		t.Errorf("got %v, want a refusal, because the kubelet uses the package", err)
	}
	m.checkInstalled(two)
	m.uninstallPlugin()
	m.use()
	m.mustRPM("--erase", "--force-debian", name)
	m.want(config, own) // rpm has no purge
	m.want(token, "")
	left := slices.DeleteFunc(m.newPaths(before), func(path string) bool {
		return slices.ContainsFunc([]string{config, dropIn, enabled}, func(kept string) bool { return strings.HasPrefix(kept, path) })
	})
	if len(left) > 0 {
		t.Errorf("after erase: got %q, want nothing", left)
	}
}

// TestRPMFacts: rpm accepts the digests, and the packages describe themselves
// correctly. Both formats have the same files.
func TestRPMFacts(t *testing.T) {
	t.Parallel()
	r := get(t, first)
	for architecture, debian := range map[string]string{"x86_64": "amd64", "aarch64": "arm64"} {
		file := r.file(t, "*."+architecture+".rpm")
		if out := must(t, "rpm", "--checksig", "--verbose", file); strings.Contains(out, "BAD") || !strings.Contains(out, "Payload SHA256 digest: OK") {
			t.Errorf("got %s, want accepted digests", out)
		}
		got := must(t, "rpm", "--query", "--package", "--queryformat", "%{NAME} %{VERSION}-%{RELEASE} %{ARCH} %{LICENSE} %{BUILDHOST}", file)
		if want := name + " " + r.version + "-1 " + architecture + " Apache-2.0 localhost"; got != want {
			t.Errorf("got %q, want %q", got, want)
		}
		ours := strings.Fields(must(t, "rpm", "--query", "--list", "--package", file))
		theirs := pathsOf(t, r.file(t, "*_"+debian+".deb"))
		if diff := differences(ours, theirs); !slices.Equal(diff, []string{
			"/usr/share/doc/" + name + "/copyright", "/usr/share/licenses/" + name, "/usr/share/licenses/" + name + "/LICENSE",
			"/usr/share/zsh/site-functions/_ecr-cross-account", "/usr/share/zsh/vendor-completions/_ecr-cross-account",
		}) {
			t.Errorf("the packages for %s differ by %q", architecture, diff)
		}
	}
}

// pathsOf returns the paths of a Debian package, without directories that other
// packages also have.
func pathsOf(t *testing.T, file string) (paths []string) {
	t.Helper()
	for line := range strings.Lines(must(t, "dpkg-deb", "--contents", file)) {
		path := strings.TrimSuffix(strings.Fields(line)[5][1:], "/")
		if !strings.HasPrefix(line, "d") || strings.Contains(path, "/"+name) {
			paths = append(paths, path)
		}
	}
	return paths
}

// differences returns the elements that only one of two lists has, sorted.
func differences(a, b []string) (diff []string) {
	for _, path := range append(slices.Clone(a), b...) {
		if slices.Contains(a, path) != slices.Contains(b, path) {
			diff = append(diff, path)
		}
	}
	slices.Sort(diff)
	return diff
}
