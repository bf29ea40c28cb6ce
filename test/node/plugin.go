package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

const pluginName = "ecr-cross-account-credential-provider"

// witnessed is a run of the plugin: the kubelet's request, and the answer.
type witnessed struct {
	Name                    string
	Request, Answer, Stderr string
	Exit                    int
	Took                    time.Duration
}

// witness is the program that the kubelet runs. It passes the kubelet's request to the
// plugin of the same name, and the plugin's answer to the kubelet. It records both.
func witness(name string, args []string) int {
	request, err := io.ReadAll(os.Stdin)
	if err != nil {
		return 125
	}
	var stdout, stderr bytes.Buffer
	cmd := exec.Command(filepath.Join(pluginsDir, name), args...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = bytes.NewReader(request), &stdout, &stderr
	started := time.Now()
	if err := cmd.Run(); err != nil && cmd.ProcessState == nil {
		fmt.Fprintf(&stderr, "witness: %v\n", err)
	}
	line, err := json.Marshal(witnessed{
		name, string(request), stdout.String(), stderr.String(),
		cmd.ProcessState.ExitCode(), time.Since(started), // ExitCode is -1 without a state
	})
	if err == nil {
		err = note(append(line, '\n'))
	}
	if err != nil {
		return 125
	}
	_, _ = os.Stdout.Write(stdout.Bytes())
	_, _ = os.Stderr.Write(stderr.Bytes())
	return cmd.ProcessState.ExitCode()
}

func note(line []byte) error {
	f, err := os.OpenFile(logOf("plugin"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(line)
	return errors.Join(err, f.Close())
}

// Install installs the plugin under a name. Like an upgrade, it writes a temporary file
// and renames it. It appends a number, so that no two installed files are equal. Unless
// watched is set, the kubelet runs the plugin directly, without a witness.
func (n *Node) Install(name string, watched bool) error {
	dir := providersDir
	if watched {
		dir = pluginsDir
		err := os.Symlink("/proc/1/exe", filepath.Join(providersDir, name))
		if err != nil && !errors.Is(err, os.ErrExist) {
			return err
		}
	}
	plugin, err := os.ReadFile(filepath.Join(binDir, pluginName))
	if err != nil {
		return err
	}
	n.installed++
	if err := writeFile(filepath.Join(dir, ".new"), fmt.Sprintf("%s%d", plugin, n.installed), 0o755); err != nil {
		return err
	}
	return os.Rename(filepath.Join(dir, ".new"), filepath.Join(dir, name))
}

// configHead is the start of every configuration of the plugin.
const configHead = "apiVersion: ecr-cross-account-credential-provider/v1alpha1\nkind: CrossAccountConfig\n"

// Configure writes the plugin's configuration.
func (n *Node) Configure(text string) error { return writeFile(configPath, configHead+text, 0o644) }

// runs returns the plugin's runs so far.
func (n *Node) runs() []witnessed {
	var all []witnessed
	for _, line := range matchingLines(logOf("plugin"), func(string) bool { return true }) {
		var w witnessed
		if err := json.Unmarshal([]byte(line), &w); err == nil {
			all = append(all, w)
		}
	}
	return all
}

// answer is the part of a response that the cases check.
type answer struct {
	CacheKeyType, CacheDuration string
	Auth                        map[string]struct{ Password string }
}

func (w witnessed) answer() answer {
	var a answer
	_ = json.Unmarshal([]byte(w.Answer), &a) // invalid JSON counts as no answer
	return a
}

// tell describes a run in one line, without its secrets.
func (n *Node) tell(w witnessed) string {
	var request struct{ Image string }
	_ = json.Unmarshal([]byte(w.Request), &request)
	var s strings.Builder
	fmt.Fprintf(&s, "%s was asked for %s: exit %d", w.Name, request.Image, w.Exit)
	a := w.answer()
	if a.CacheKeyType != "" {
		fmt.Fprintf(&s, ", %s for %s", a.CacheKeyType, a.CacheDuration)
	}
	for key, auth := range a.Auth {
		grant, _ := n.AWS.World.ReadToken(auth.Password) // the token may have expired since
		fmt.Fprintf(&s, ", for %s a token of %s", key, grant.Principal)
	}
	if w.Stderr != "" {
		fmt.Fprintf(&s, ", stderr: %s", strings.TrimSpace(w.Stderr))
	}
	return s.String()
}
