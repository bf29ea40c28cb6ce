package conformance

import (
	"crypto/sha256"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"
)

// tool is the program for operators.
var tool = program("../..", "./cmd/ecr-cross-account")

// configured is a configuration, and the expected tokens for its images.
type configured struct {
	name, text string
	// serviceAccounts says that the kubelet must pass on the pods' tokens.
	serviceAccounts bool
	images          []wanted
}

// wanted has the expected principals for a pod's image. The list "instead" is for a
// node where our provider replaces the stock one. The list "beside" is for any other
// node, and has only the principals of our provider.
type wanted struct {
	pod
	beside, instead []string
}

const (
	ownOnly  = "\nregistries:\n- accounts: [own]\nunmatched: None\n"
	twoKinds = bySA + `- accounts: ["777788889999"]
  assumeRoles:
  - arn: arn:aws:iam::777788889999:role/hub
  - arn: arn:aws:iam::777788889999:role/ecr-pull
    externalID: example-external-id
`
)

var installedConfigurations = []configured{
	{name: "a role", text: oneRole, images: []wanted{
		{pod{Image: first + "/team-a/app:1"}, []string{asFirst}, []string{asFirst}},
		{pod{Image: own + "/base/java"}, nil, []string{asNode}},
		{pod{Image: "docker.io/library/nginx"}, nil, nil},
	}},
	{name: "mirrors", text: mirror, images: []wanted{
		{pod{Image: "docker.io/library/nginx"}, []string{asFirst}, []string{asFirst}},
		{pod{Image: first + "/a"}, []string{asFirst}, []string{asFirst}},
	}},
	{name: "every account", text: wildcard, images: []wanted{
		{pod{Image: first + "/a"}, []string{asFirst}, []string{asFirst}},
		{pod{Image: own + "/a"}, []string{asNode}, []string{asNode}},
	}},
	{name: "the node's own account", text: ownOnly, images: []wanted{
		{pod{Image: own + "/a"}, []string{asNode}, []string{asNode}},
		{pod{Image: first + "/a"}, nil, nil},
	}},
	{name: "service accounts, and a role", text: twoKinds, serviceAccounts: true, images: []wanted{
		{pod{first + "/app", "team-a", "app"}, []string{asA}, []string{asA}},
		{pod{first + "/app", "team-b", "app"}, []string{asB}, []string{asB}},
		{pod{second + "/shop/cart", "team-a", "app"}, []string{asSecond}, []string{asSecond}},
		{pod{own + "/a", "plain", "app"}, nil, []string{asNode}},
	}},
}

// TestInstall: on each kind of node, the kubelet registers the providers that install
// wrote. The test installs each configuration beside the stock provider, and then
// instead of it. Our credentials come first. Uninstall leaves the node as it was.
func TestInstall(t *testing.T) {
	t.Parallel()
	for _, r := range releases {
		for _, k := range kinds {
			if k.directories && !r.directories {
				continue // see TestDirectory
			}
			t.Run(r.version+" "+k.name, func(t *testing.T) {
				t.Parallel()
				n := k.newMachine(t, r.version)
				before := n.snapshot(t)
				r.installed(t, k, n, false)
				if !k.directories { // otherwise install refuses --instead-of-stock: another file has the stock entry
					r.installed(t, k, n, true)
				}
				n.uninstalled(t, before)
			})
		}
	}
}

// TestUpgradedKubelet: the upgrade of a kubelet may change the rules for its
// configuration. The new kubelet starts with the existing files. It also starts after
// install has run again.
func TestUpgradedKubelet(t *testing.T) {
	t.Parallel()
	older, newer := releases[0], releases[len(releases)-1]
	for _, k := range kinds {
		if k.directories {
			continue // the older kubelet takes no directory
		}
		t.Run(k.name, func(t *testing.T) {
			t.Parallel()
			n, c := k.newMachine(t, older.version), installedConfigurations[0]
			before := n.snapshot(t)
			printed := k.install(t, n, c, false)
			older.start(t, k, n, c, false, printed)
			k.setKubelet(t, n, newer.version)
			newer.start(t, k, n, c, false, printed)
			printed = k.install(t, n, c, false)
			newer.start(t, k, n, c, false, printed)
			k.setKubelet(t, n, older.version)
			n.uninstalled(t, before)
		})
	}
}

// uninstalled uninstalls, and checks that the node is as it was before.
func (n machine) uninstalled(t *testing.T, before map[string]string) {
	t.Helper()
	n.run(t, "uninstall", "--root", n.root)
	if _, ok := before[eksDir+"/config.json"]; !ok {
		_ = os.Remove(n.at(eksDir + "/config.json")) // the file of nodeadm, if it exists
	}
	if diff := cmp.Diff(before, n.snapshot(t)); diff != "" {
		t.Errorf("the node before install and after uninstall (-before +after):\n%s", diff)
	}
}

// installed installs each configuration in order. It installs the last one twice, and
// the second run changes nothing.
func (r release) installed(t *testing.T, k kind, n machine, instead bool) {
	t.Helper()
	var latest configured
	for _, c := range installedConfigurations {
		if c.serviceAccounts && !r.serviceAccounts {
			continue // install refuses it
		}
		printed := k.install(t, n, c, instead)
		if !strings.Contains(printed, "platform  "+k.platform+" (found)\nkubelet   "+r.version+" (by ") {
			t.Errorf("install did not find platform %s and kubelet %s: %s", k.platform, r.version, printed)
		}
		r.start(t, k, n, c, instead, printed)
		latest = c
	}
	if again := k.install(t, n, latest, instead); !strings.Contains(again, "nothing to change") {
		t.Errorf("a second run: got %s, want nothing to change", again)
	}
}

// install installs a configuration, and returns what the tool prints.
func (k kind) install(t *testing.T, n machine, c configured, instead bool) string {
	t.Helper()
	dir := t.TempDir()
	config, small := filepath.Join(dir, "config.yaml"), filepath.Join(dir, "plugin")
	writeFile(t, config, "apiVersion: ecr-cross-account-credential-provider/v1alpha1\nkind: CrossAccountConfig\n"+c.text, 0o644)
	// This script runs the plugin. Hundreds of copies of the plugin would take minutes.
	writeFile(t, small, "#!/bin/sh\nexec "+built(t, plugin)+" \"$@\"\n", 0o755)
	args := append([]string{"install", "--root", n.root, "--config", config, "--plugin", small}, k.args...)
	if instead {
		args = append(args, "--instead-of-stock")
	}
	return n.run(t, args...)
}

// start starts the kubelet as its platform does, and requests credentials for the
// images.
func (r release) start(t *testing.T, k kind, n machine, c configured, instead bool, printed string) {
	t.Helper()
	aws := startAWS(t)
	f := k.flagsAfter(t, n, printed)
	// First the kubelet reads the original files. Then it reads a copy with the paths of
	// this machine, because the node's /etc is below n.root.
	started := kubelet{Config: n.at(f.config), BinDir: n.at(f.binDir), ServiceAccounts: serviceAccounts(t, aws)}
	if _, log, err := r.run(t, started, nil); err != nil || log != "" {
		t.Fatalf("%s: the kubelet does not start: %v: %s\n%s", c.name, err, log, printed)
	}
	if _, ok := k.files[systemd]; ok {
		n.refreshes(t, f)
	}
	started.Config = n.relocated(t, f.config)
	if k.env {
		n.sameEnv(t, f.config)
	}
	var want [][]string
	for _, w := range c.images {
		started.Lookups = append(started.Lookups, w.pod)
		switch {
		case instead:
			want = append(want, w.instead)
		case k.stock != "" && strings.Contains(w.Image, ".dkr.ecr."):
			want = append(want, append(slices.Clone(w.beside), asNode))
		default:
			want = append(want, w.beside)
		}
	}
	found, log, err := r.run(t, started, aws.Env())
	if err != nil {
		t.Fatalf("%v: %s", err, log)
	}
	if diff := cmp.Diff(want, principals(t, aws, found)); diff != "" || log != "" {
		t.Errorf("%s: principals of the kubelet's tokens (-want +got):\n%s\n%s\n%s", c.name, diff, log, printed)
	}
}

var execStart = regexp.MustCompile(`(?m)^ExecStart=(\S+)/(\S+) refresh --provider-config (\S+) --provider (\S+)$`)

// refreshes checks that the unit runs the same binary as the kubelet. It also checks
// that the unit names an entry of the configuration in the kubelet's flag.
func (n machine) refreshes(t *testing.T, f flags) {
	t.Helper()
	unit := readFile(t, n.at("/etc/systemd/system/ecr-cross-account-refresh.service"))
	found := execStart.FindStringSubmatch(unit)
	if found == nil || found[1] != f.binDir || found[3] != f.config || found[2] != found[4] {
		t.Fatalf("the unit does not match the kubelet's flags %v:\n%s", f, unit)
	}
	for _, file := range n.reads(t, f.config) {
		if strings.Contains(readFile(t, file), found[4]) {
			return
		}
	}
	t.Errorf("the kubelet's configuration has no provider %s", found[4])
}

// sameEnv checks that all providers have the env of the stock provider.
func (n machine) sameEnv(t *testing.T, config string) {
	t.Helper()
	for _, file := range n.reads(t, config) {
		var c struct {
			Providers []struct {
				Env []struct{ Name, Value string }
			}
		}
		if err := yaml.Unmarshal([]byte(readFile(t, file)), &c); err != nil {
			t.Fatal(err)
		}
		for _, p := range c.Providers {
			if len(p.Env) != 2 || p.Env[0].Value != "/eks-hybrid/.aws/config" || p.Env[1].Value != "hybrid" {
				t.Errorf("%s has a provider with env %v, want that of the stock provider", file, p.Env)
			}
		}
	}
}

// run runs the tool and returns what it prints.
func (n machine) run(t *testing.T, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), built(t, tool), args...)
	cmd.Dir, cmd.Env = t.TempDir(), []string{"PATH=" + os.Getenv("PATH")}
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %v\n%s", args, err, out)
	}
	return string(out)
}

// relocated copies the file or directory that a flag names. In the copy, all paths are
// those of this machine.
func (n machine) relocated(t *testing.T, config string) string {
	t.Helper()
	here := strings.NewReplacer("--config=/etc/", "--config="+n.root+"/etc/", "/eks-hybrid/", n.root+"/eks-hybrid/")
	to := t.TempDir()
	files := n.reads(t, config)
	for _, file := range files {
		writeFile(t, filepath.Join(to, filepath.Base(file)), here.Replace(readFile(t, file)), 0o644)
	}
	if files[0] == n.at(config) {
		return filepath.Join(to, filepath.Base(config))
	}
	return to
}

// reads returns the files that a kubelet with this flag reads.
func (n machine) reads(t *testing.T, config string) (files []string) {
	t.Helper()
	path := n.at(config)
	if info, err := os.Stat(path); err != nil || !info.IsDir() {
		return []string{path} // the kubelet has already started with it
	}
	for _, pattern := range []string{"*.json", "*.yaml", "*.yml"} {
		found, err := filepath.Glob(filepath.Join(path, pattern))
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, found...)
	}
	return files
}

// snapshot returns everything on the node: modes, contents, and the targets of links.
func (n machine) snapshot(t *testing.T) map[string]string {
	t.Helper()
	found := map[string]string{}
	err := filepath.WalkDir(n.root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		name := strings.TrimPrefix(path, n.root)
		found[name] = info.Mode().String()
		switch {
		case d.Type().IsRegular():
			found[name] += fmt.Sprintf(" %x", sha256.Sum256([]byte(readFile(t, path))))
		case d.Type()&fs.ModeSymlink != 0:
			target, err := os.Readlink(path)
			found[name] += " " + target
			return err
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}
