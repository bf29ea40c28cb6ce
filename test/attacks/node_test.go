//go:build linux

package attacks_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"ecr-cross-account-credential-provider/test/fakeaws"
)

// These are the images of the tests, and the roles whose tokens they get.
const (
	registryHost = fakeaws.FirstAccount + ".dkr.ecr.eu-west-1.amazonaws.com"
	image        = registryHost + "/team-a/app"
	ownImage     = fakeaws.NodeAccount + ".dkr.ecr.eu-west-1.amazonaws.com/app"

	pullRole = "arn:aws:iam::" + fakeaws.FirstAccount + ":role/ecr-pull"
	nodeRole = "arn:aws:iam::" + fakeaws.NodeAccount + ":role/node"
)

// These are the entries of most configurations.
const (
	assume = `registries:
- accounts: ["` + fakeaws.FirstAccount + `"]
  assumeRoles:
  - arn: ` + pullRole + "\n"
	ofPods = `registries:
- accounts: ["` + fakeaws.FirstAccount + `"]
  source: ServiceAccount
  serviceAccount:
    allowedRoles: ["arn:aws:iam::` + fakeaws.FirstAccount + `:role/pull-*"]
`
)

// node is a node with a fake AWS, a configuration, a cache and a log.
type node struct {
	t   testing.TB
	aws *fakeaws.Server
	// dir is the plugin's working directory.
	dir string
	env []string
	// args name the configuration.
	args []string
	// secrets are the texts that the plugin must not reveal, besides
	// fakeaws.SecretMarks.
	secrets *list
}

// list is a list of texts that several goroutines add to.
type list struct {
	mu    sync.Mutex
	texts []string
}

func (l *list) add(texts ...string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.texts = append(l.texts, texts...)
}

func (l *list) all() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.texts)
}

// newNode makes a node whose configuration has the given entries and settings.
func newNode(t testing.TB, entries string) *node {
	t.Helper()
	dir, err := os.MkdirTemp(filepath.Dir(plugin), "node") // the path of t.TempDir contains the test's name
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	world := fakeaws.ExampleWorld()
	issuer, err := cluster()
	if err != nil {
		t.Fatal(err)
	}
	world.TrustIssuer(issuer)
	server, err := fakeaws.Start(world, fakeaws.Options{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := server.Close(); err != nil {
			t.Error(err)
		}
	})
	n := &node{t: t, aws: server, dir: dir, secrets: &list{}, env: append(server.Env(), "HOME="+dir, "PATH="+os.Getenv("PATH"))}
	n.args = []string{"--config", n.write("config.yaml", n.configuration(entries))}
	return n
}

// configuration returns a configuration with the given entries, the node's cache and
// its log.
func (n *node) configuration(entries string) string {
	text := "apiVersion: " + module + "/v1alpha1\nkind: CrossAccountConfig\n" + entries
	if !strings.Contains(entries, "cache:") {
		text += "cache: {directory: " + n.path("cache") + "}\n"
	}
	if !strings.Contains(entries, "log:") {
		text += "log: {destination: " + n.path("log") + "}\n"
	}
	return text
}

func (n *node) path(name string) string { return filepath.Join(n.dir, name) }

// write writes a file below the node's directory, and returns its path.
func (n *node) write(name, content string) string {
	n.t.Helper()
	if err := os.MkdirAll(filepath.Dir(n.path(name)), 0o700); err != nil {
		n.t.Fatal(err)
	}
	if err := os.WriteFile(n.path(name), []byte(content), 0o600); err != nil {
		n.t.Fatal(err)
	}
	return n.path(name)
}

// result is the result of a run of the plugin.
type result struct {
	stdout, stderr string
	status         int
}

// hang is the time after which a run counts as hung. It is long because machines may be
// slow.
const hang = 2 * time.Minute

// command returns a command that runs the plugin, not yet started.
func (n *node) command(args ...string) *exec.Cmd {
	ctx, cancel := context.WithTimeout(context.Background(), hang)
	n.t.Cleanup(cancel)
	cmd := exec.CommandContext(ctx, plugin, append(slices.Clone(n.args), args...)...)
	cmd.Dir, cmd.Env, cmd.WaitDelay = n.dir, n.env, hang
	return cmd
}

// run runs the plugin with a request on stdin.
func (n *node) run(request string, args ...string) result {
	n.t.Helper()
	cmd := n.command(args...)
	cmd.Stdin = strings.NewReader(request)
	return n.finish(cmd)
}

// finish runs a command to its end.
func (n *node) finish(cmd *exec.Cmd) result {
	n.t.Helper()
	return n.start(cmd)()
}

// start starts a command. The returned function waits for its end.
func (n *node) start(cmd *exec.Cmd) (end func() result) {
	n.t.Helper()
	var stdout, stderr bytes.Buffer
	if cmd.Stdout == nil {
		cmd.Stdout = &stdout
	}
	if cmd.Stderr == nil {
		cmd.Stderr = &stderr
	}
	if err := cmd.Start(); err != nil {
		n.t.Fatal(err)
	}
	return func() result {
		n.t.Helper()
		err := cmd.Wait()
		var exit *exec.ExitError
		if err != nil && !errors.As(err, &exit) {
			n.t.Fatal(err)
		}
		if status := cmd.ProcessState; !status.Exited() {
			n.t.Errorf("ended by %s, want an exit; stderr %q", status, brief(stderr.String()))
		}
		return result{stdout.String(), stderr.String(), cmd.ProcessState.ExitCode()}
	}
}

// pull runs the plugin with a kubelet's request for an image.
func (n *node) pull(image string) result {
	n.t.Helper()
	return n.run(request(image))
}

func request(image string) string {
	return requestOf(map[string]any{"image": image})
}

// requestOf returns a v1 request with the given fields.
func requestOf(fields map[string]any) string {
	all := map[string]any{"apiVersion": "credentialprovider.kubelet.k8s.io/v1", "kind": "CredentialProviderRequest"}
	for name, value := range fields {
		all[name] = value
	}
	text, err := json.Marshal(all)
	if err != nil {
		panic(fmt.Sprint("a test's request: ", err))
	}
	return string(text)
}
