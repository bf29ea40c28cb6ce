package release_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
)

// machine is a minimal Debian in a directory.
type machine struct {
	t    *testing.T
	root string
}

// debianArchive is a clean Debian of this machine's release, as a tar file.
var debianArchive = sync.OnceValues(func() (string, error) {
	path := filepath.Join(scratch, "debian.tar")
	codename, err := output("", nil, "sh", "-c", ". /etc/os-release && echo $VERSION_CODENAME")
	if err == nil {
		_, err = output("", nil, "mmdebstrap", "--quiet", "--variant=essential", strings.TrimSpace(codename), path)
	}
	return path, err
})

func newMachine(t *testing.T) machine {
	t.Helper()
	archive, err := debianArchive()
	if err != nil {
		t.Fatal(err)
	}
	m := machine{t, filepath.Join(t.TempDir(), "root")}
	if err := os.Mkdir(m.root, 0o755); err != nil {
		t.Fatal(err)
	}
	must(t, "tar", "-xf", archive, "-C", m.root, "--exclude=./dev/*")
	return m
}

// run runs a program of the machine, and returns what it prints.
func (m machine) run(args ...string) (string, error) {
	return output("", []string{"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "DEBIAN_FRONTEND=noninteractive"}, "chroot", append([]string{m.root}, args...)...)
}

// must runs a program of the machine that must succeed.
func (m machine) must(args ...string) string {
	m.t.Helper()
	out, err := m.run(args...)
	if err != nil {
		m.t.Fatal(err)
	}
	return out
}

// put copies a file to the machine, and returns its path there.
func (m machine) put(path string) string {
	m.t.Helper()
	to := "/root/" + filepath.Base(path)
	must(m.t, "cp", path, filepath.Join(m.root, to))
	return to
}

// write writes a file on the machine.
func (m machine) write(path, text string) {
	m.t.Helper()
	to := filepath.Join(m.root, path)
	if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
		m.t.Fatal(err)
	}
	if err := os.WriteFile(to, []byte(text), 0o644); err != nil {
		m.t.Fatal(err)
	}
}

// has reports whether a path exists.
func (m machine) has(path string) bool {
	_, err := os.Lstat(filepath.Join(m.root, path))
	return err == nil
}

// want checks that a file has a text. An empty text means that the file does not exist.
func (m machine) want(path, text string) {
	m.t.Helper()
	content, err := os.ReadFile(filepath.Join(m.root, path))
	if (text == "") != os.IsNotExist(err) || string(content) != text {
		m.t.Errorf("%s: got %q, error %v; want %q", path, content, err, text)
	}
}

// tree returns all paths of the machine, except the package managers' own files.
func (m machine) tree() (paths []string) {
	m.t.Helper()
	err := fs.WalkDir(os.DirFS(m.root), ".", func(path string, _ fs.DirEntry, err error) error {
		if err == nil && slices.Contains([]string{"root", "var/lib/dpkg", "var/lib/rpm", "var/log"}, path) {
			return fs.SkipDir
		}
		paths = append(paths, "/"+path)
		return err
	})
	if err != nil {
		m.t.Fatal(err)
	}
	return paths
}

// These are the files that a node's owner, the plugin, the install command and the
// package (libexec) write.
const (
	config   = "/etc/" + name + "/config.yaml"
	token    = "/run/" + name + "/0123"
	former   = "/var/lib/" + name + "/former/0123"
	install  = "/var/lib/" + name + "/install.json"
	dropIn   = "/etc/systemd/system/ecr-cross-account-refresh.service.d/override.conf"
	enabled  = "/etc/systemd/system/timers.target.wants/ecr-cross-account-refresh.timer"
	libexec  = "/usr/libexec/" + name
	refusing = "first run: ecr-cross-account uninstall"
	// own is the content of the files that these tests write. It is a configuration.
	own = "apiVersion: ecr-cross-account-credential-provider/v1alpha1\nkind: CrossAccountConfig\nregistries: [{accounts: [\"444455556666\"]}]\n"
)

// leftBehind are the files that an upgrade must not change.
var leftBehind = []string{config, token, dropIn, enabled}

// use writes the files that appear when the plugin is used.
func (m machine) use() {
	m.t.Helper()
	for _, path := range leftBehind {
		m.write(path, own)
	}
}

// tool runs the machine's tool with --root, and not in a chroot, which has no /proc.
func (m machine) tool(command string, args ...string) {
	m.t.Helper()
	must(m.t, filepath.Join(m.root, "usr/bin/ecr-cross-account"), append([]string{command, "--root", m.root}, args...)...)
}

// installPlugin makes the kubelet of the machine use the package's plugin.
func (m machine) installPlugin() {
	m.t.Helper()
	m.tool("install", "--platform", "kubeadm", "--kubelet-version", "v1.34.0")
	if !m.has(install) || !m.has("/usr/local/libexec/image-credential-providers/"+name) {
		m.t.Error("after install: got no plugin or no record, want both")
	}
}

// uninstallPlugin makes the kubelet stop using the plugin.
func (m machine) uninstallPlugin() {
	m.t.Helper()
	m.tool("uninstall")
	m.want(install, "")
}

// checkInstalled checks the files that packages of both formats install.
func (m machine) checkInstalled(r release) {
	m.t.Helper()
	r.wantVersion(m.t, libexec, "chroot", m.root)
	r.wantVersion(m.t, "/usr/bin/"+name, "chroot", m.root)
	r.wantVersion(m.t, "/usr/bin/ecr-cross-account", "chroot", m.root)
	service, err := os.ReadFile(filepath.Join(m.root, "usr/lib/systemd/system/ecr-cross-account-refresh.service"))
	if err != nil || !strings.Contains(string(service), "ExecStart="+libexec+" refresh ") || strings.Contains(string(service), "/usr/local") {
		m.t.Errorf("want a service with %s, got error %v and\n%s", libexec, err, service)
	}
	for _, page := range []string{name, "ecr-cross-account"} {
		text := must(m.t, "gzip", "-dc", filepath.Join(m.root, "usr/share/man/man1", page+".1.gz"))
		if !strings.HasPrefix(text, ".TH "+strings.ReplaceAll(strings.ToUpper(page), "-", `\-`)+" 1 ") {
			m.t.Errorf("%s: got a start of %.40q, want .TH", page, text)
		}
		complete := must(m.t, "bash", "-c", ". \"$0\" && complete -p "+page, filepath.Join(m.root, "usr/share/bash-completion/completions", page))
		if !strings.HasSuffix(complete, " "+page+"\n") {
			m.t.Errorf("%s: got the completion %q, want one for it", page, complete)
		}
	}
}

// checkOwned checks a package's files: owner, mode, and that none is a configuration.
func (m machine) checkOwned(paths []string) {
	m.t.Helper()
	for _, path := range paths {
		facts := strings.TrimSpace(must(m.t, "stat", "-c", "%u:%g %a %F", filepath.Join(m.root, path)))
		want := "0:0 644 regular file"
		switch {
		case strings.HasSuffix(facts, "directory"):
			want = "0:0 755 directory"
		case strings.HasSuffix(facts, "symbolic link"):
			want = "0:0 777 symbolic link"
		case strings.HasPrefix(path, "/usr/bin/"), path == libexec, strings.HasSuffix(path, "/platforms/install.sh"):
			want = "0:0 755 regular file"
		}
		if facts != want {
			m.t.Errorf("%s: got %s, want %s", path, facts, want)
		}
		if strings.HasPrefix(path, "/etc/"+name+"/") {
			m.t.Errorf("got %s in the package, want no configuration", path)
		}
	}
}
