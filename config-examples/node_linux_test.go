package examples_test

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// stockDirectory is --image-credential-provider-bin-dir. It also has the stock
// configuration.
const stockDirectory = "/etc/eks/image-credential-provider"

// node is a root directory with the files of an Amazon EKS node before user data
// runs, and with the inputs of a script.
type node struct {
	installer
	root, work    string
	url, sha256   string
	download      string // the file that the fake curl and AWS CLI fetch
	configuration string
	providers     string // "" if the file does not exist
}

func newNode(t *testing.T, in installer) *node {
	t.Helper()
	n := &node{
		installer: in, root: t.TempDir(), work: t.TempDir(), url: "https://downloads.example.com/" + program,
		download: binary, sha256: sum(read(t, binary)),
		configuration: body(read(t, "minimal.yaml")), providers: body(read(t, in.providers)),
	}
	write(t, n.root+stockDirectory+"/config.json", `{"apiVersion":"kubelet.config.k8s.io/v1","kind":"CredentialProviderConfig","providers":[{`+
		`"name":"ecr-credential-provider","apiVersion":"credentialprovider.kubelet.k8s.io/v1",`+
		`"matchImages":["`+strings.Join(stockPatterns, `","`)+`"],"defaultCacheDuration":"12h0m0s"}]}`, 0o644)
	write(t, n.root+stockDirectory+"/ecr-credential-provider", "#!/bin/sh\n", 0o755)
	if err := os.MkdirAll(n.root+"/usr/bin", 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(standIns+"/kubelet", n.root+"/usr/bin/kubelet"); err != nil {
		t.Fatal(err)
	}
	return n
}

func (n *node) setBinary(t *testing.T, content string) {
	t.Helper()
	n.download, n.sha256 = t.TempDir()+"/download", sum(content)
	write(t, n.download, content, 0o755)
}

func sum(content string) string { return fmt.Sprintf("%x", sha256.Sum256([]byte(content))) }

// run runs the script with an umask.
func (n *node) run(t *testing.T, umask string) (string, error) {
	t.Helper()
	script := n.work + "/script"
	write(t, script, n.script(t), 0o755)
	if out, err := exec.CommandContext(t.Context(), "/bin/bash", "-n", script).CombinedOutput(); err != nil {
		t.Fatalf("bash -n: %v\n%s", err, out)
	}
	args := append([]string{"-c", `umask "$0"; exec /bin/bash "$@"`, umask, script}, n.args(t)...)
	cmd := exec.CommandContext(t.Context(), "/bin/bash", args...)
	cmd.Env = []string{
		"PATH=" + standIns + ":" + os.Getenv("PATH"), "ROOT=" + n.root,
		"URL=" + n.url, "DOWNLOAD=" + n.download, "KUBELET=" + n.kubelet,
	}
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// script returns the script that runs on the node. User data are edited like an
// operator would.
func (n *node) script(t *testing.T) string {
	t.Helper()
	if n.file == bake {
		return read(t, bake)
	}
	_, script := parts(t, n.file)
	script = replaceLine(t, script, "url", n.url)
	script = replaceLine(t, script, "sha256", n.sha256)
	return strings.Replace(script, body(read(t, "minimal.yaml")), n.configuration, 1)
}

// args are the files for the script that bakes an image. It downloads nothing.
func (n *node) args(t *testing.T) []string {
	t.Helper()
	if n.file != bake {
		return nil
	}
	files := []string{n.download, n.work + "/config.yaml", n.work + "/providers.yaml"}
	write(t, files[1], n.configuration, 0o600)
	if n.providers == "" {
		return append(files[:2], "/nowhere")
	}
	write(t, files[2], n.providers, 0o600)
	return files
}

func (n *node) mustRun(t *testing.T, umask string) {
	t.Helper()
	if out, err := n.run(t, umask); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
}

func (n *node) mustFail(t *testing.T) string {
	t.Helper()
	out, err := n.run(t, "022")
	if err == nil || out == "" {
		t.Fatalf("the script ended with %v and %q; want a failure and its cause", err, out)
	}
	return out
}

func replaceLine(t *testing.T, script, variable, value string) string {
	t.Helper()
	line := regexp.MustCompile(`(?m)^` + variable + `=\S+`)
	if n := len(line.FindAllString(script, -1)); n != 1 {
		t.Fatalf("the script sets %s %d times", variable, n)
	}
	return line.ReplaceAllLiteralString(script, variable+"="+value)
}

// check checks the files that a kubelet reads if it is started with the flag.
func (n *node) check(t *testing.T) {
	t.Helper()
	var found []kubeletProvider
	for _, file := range n.kubeletReads(t) {
		found = append(found, providers(t, read(t, file))...)
	}
	example := providers(t, read(t, n.installer.providers))
	if len(found) != 2 || !reflect.DeepEqual(found[:len(example)], example) || found[1].Name != "ecr-credential-provider" {
		t.Errorf("providers %+v; want %+v, and the stock one last", found, example)
	}
	installed := "/etc/" + program + "/config.yaml"
	modes := map[string]fs.FileMode{path.Dir(installed): fs.ModeDir | 0o755, installed: 0o644}
	for _, p := range found {
		modes[stockDirectory+"/"+p.Name] = 0o755
	}
	for file, want := range modes {
		if info, err := os.Stat(n.root + file); err != nil || info.Mode() != want {
			t.Errorf("%s: %v, %v; want mode %v", file, info, err, want)
		}
	}
	var have, want any
	decode(t, read(t, n.root+installed), &have)
	decode(t, read(t, "minimal.yaml"), &want)
	if !reflect.DeepEqual(have, want) {
		t.Errorf("the configuration is %v; want that of minimal.yaml, %v", have, want)
	}
	n.ask(t, found[0])
}

// kubeletReads lists the files for the flag: one file, or the files of a directory
// with one of three extensions, in order of name.
func (n *node) kubeletReads(t *testing.T) []string {
	t.Helper()
	if n.flag == fileFlag {
		return []string{n.root + n.flag}
	}
	entries, err := os.ReadDir(n.root + n.flag)
	if err != nil {
		t.Fatal(err)
	}
	var files []string
	for _, e := range entries {
		if slices.Contains([]string{".json", ".yaml", ".yml"}, filepath.Ext(e.Name())) {
			files = append(files, n.root+n.flag+"/"+e.Name())
		}
	}
	return files
}

// ask runs a provider like the kubelet, for an image that needs no call to AWS.
func (n *node) ask(t *testing.T, p kubeletProvider) {
	t.Helper()
	args := slices.Clone(p.Args)
	for i := range args {
		args[i] = strings.Replace(args[i], "=/etc/", "="+n.root+"/etc/", 1)
	}
	cmd := exec.CommandContext(t.Context(), n.root+stockDirectory+"/"+p.Name, args...)
	cmd.Env = []string{"AWS_EC2_METADATA_DISABLED=true"}
	cmd.Stdin = strings.NewReader(`{"kind":"CredentialProviderRequest","apiVersion":"` + p.APIVersion + `","image":"docker.io/library/busybox"}`)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil || !strings.Contains(string(out), `"CredentialProviderResponse"`) {
		t.Errorf("%s %q: %s, %v, %s", p.Name, args, out, err, &stderr)
	}
	if _, err := os.Stat(cache); err != nil {
		t.Errorf("the plugin's cache was another than the test's own: %v", err)
	}
}

// checkStandIn checks that the file that the flag names is now the stock
// provider's, and that nothing else is new.
func (n *node) checkStandIn(t *testing.T, before map[string]string) {
	t.Helper()
	want := maps.Clone(before)
	want["etc/"+program] = (fs.ModeDir | 0o755).String()
	want[strings.TrimPrefix(fileFlag, "/")] = before[stockDirectory[1:]+"/config.json"]
	if after := n.snapshot(t); !maps.Equal(after, want) {
		t.Errorf("the node has %v; want %v", after, want)
	}
}

// snapshot returns every file of the node with its mode and content.
func (n *node) snapshot(t *testing.T) map[string]string {
	t.Helper()
	found := map[string]string{}
	err := fs.WalkDir(os.DirFS(n.root), ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		found[name] = info.Mode().String()
		if d.Type().IsRegular() {
			content, err := os.ReadFile(filepath.Join(n.root, name))
			found[name] += " " + sum(string(content))
			return err
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func write(t *testing.T, file, content string, mode fs.FileMode) {
	t.Helper()
	if err := writeFile(file, content, mode); err != nil {
		t.Fatal(err)
	}
}

// writeFile makes a directory, and writes a file with exactly this mode, for any
// umask.
func writeFile(file, content string, mode fs.FileMode) error {
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		return err
	}
	if err := os.WriteFile(file, []byte(content), mode); err != nil {
		return err
	}
	return os.Chmod(file, mode)
}
