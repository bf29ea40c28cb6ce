package release_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestDebian installs, upgrades, removes and purges the package in a clean Debian.
func TestDebian(t *testing.T) {
	t.Parallel()
	one, two, m := get(t, first), get(t, next), newMachine(t)
	before := m.tree()
	m.must("dpkg", "--install", m.put(one.file(t, "*_amd64.deb")))
	m.checkInstalled(one)
	m.checkVerified()
	m.checkOwned(m.newPaths(before))

	m.use()
	m.installPlugin()
	m.must("dpkg", "--install", m.put(two.file(t, "*_amd64.deb")))
	m.checkInstalled(two)
	m.checkVerified()
	for _, path := range leftBehind {
		m.want(path, own)
	}

	if _, err := m.run("dpkg", "--purge", name); err == nil || !strings.Contains(err.Error(), refusing) {
		t.Errorf("got %v, want a refusal, because the kubelet uses the package", err)
	}
	m.checkInstalled(two)
	m.uninstallPlugin()
	m.use()

	m.must("dpkg", "--remove", name)
	if m.has(libexec) || m.has(token) {
		t.Error("after remove: got the plugin or tokens, want neither")
	}
	m.want(config, own)
	m.must("dpkg", "--install", m.put(one.file(t, "*_amd64.deb"))) // this also installs an older version
	m.want(config, own)
	m.must("dpkg", "--remove", name)
	m.purgeInUse()
	m.must("dpkg", "--install", m.put(one.file(t, "*_amd64.deb")))
	m.use()
	m.write(former, own)
	m.must("dpkg", "--purge", name)
	// use may have made the directory of the enabled timers, which purge does not remove.
	_ = os.Remove(filepath.Join(m.root, filepath.Dir(enabled)))
	if left := m.newPaths(before); len(left) > 0 {
		t.Errorf("after purge: got %q, want nothing", left)
	}
}

// purgeInUse purges the removed package after an archive's install has made the kubelet
// use the plugin. The files that the plugin and its timers need must stay.
func (m machine) purgeInUse() {
	m.t.Helper()
	m.write(install, own)
	m.must("dpkg", "--purge", name)
	for _, path := range []string{install, config, dropIn, enabled} {
		m.want(path, own)
	}
	if err := os.Remove(filepath.Join(m.root, install)); err != nil {
		m.t.Fatal(err)
	}
}

// checkVerified checks that the files are those of the package.
func (m machine) checkVerified() {
	m.t.Helper()
	if out := m.must("dpkg", "--verify", name); out != "" {
		m.t.Errorf("dpkg --verify: got %s, want nothing", out)
	}
	if status := m.must("dpkg-query", "--show", "--showformat=${db:Status-Abbrev}", name); status != "ii " {
		m.t.Errorf("got the state %q, want ii", status)
	}
}

// newPaths returns the paths that did not exist before.
func (m machine) newPaths(before []string) []string {
	return slices.DeleteFunc(m.tree(), func(path string) bool { return slices.Contains(before, path) })
}

// TestDebianFacts: the packages describe themselves correctly, and depend on
// nothing.
func TestDebianFacts(t *testing.T) {
	t.Parallel()
	r := get(t, first)
	for _, architecture := range []string{"amd64", "arm64"} {
		got := must(t, "dpkg-deb", "--show", "--showformat=${Package} ${Version} ${Architecture} ${Depends}", r.file(t, "*_"+architecture+".deb"))
		if want := name + " " + r.version + "-1 " + architecture + " "; got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}
