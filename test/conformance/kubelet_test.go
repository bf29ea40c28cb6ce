package conformance

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"testing"

	"k8s.io/kubernetes/pkg/credentialprovider/plugin"
)

// A kubelet's plugins are registered once per process, for good. So each
// kubelet of these tests is a process of its own: this test's binary, which
// TestMain makes behave as the part of a kubelet that deals with plugins.

// kubelet is how one is started, and what it is asked.
type kubelet struct {
	// Config and BinDir are its flags --image-credential-provider-config and
	// --image-credential-provider-bin-dir.
	Config, BinDir string
	// Lookups are the images of pods, in order.
	Lookups []string
}

// lookup is what a kubelet has for an image: the credentials that it would try.
type lookup struct {
	Credentials []credential
}

type credential struct{ Username, Password string }

const asKubelet = "CONFORMANCE_AS_KUBELET"

func TestMain(m *testing.M) {
	if os.Getenv(asKubelet) == "" {
		os.Exit(m.Run())
	}
	if err := beKubelet(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// beKubelet is the kubelet's process.
func beKubelet() error {
	var k kubelet
	if err := json.NewDecoder(os.Stdin).Decode(&k); err != nil {
		return err
	}
	if err := plugin.RegisterCredentialProviderPlugins(k.Config, k.BinDir, nil, nil); err != nil {
		return err
	}
	var answers []lookup
	for _, image := range k.Lookups {
		found, _ := plugin.NewExternalCredentialProviderDockerKeyring("", "", "", "").Lookup(image)
		var l lookup
		for _, auth := range found {
			l.Credentials = append(l.Credentials, credential{auth.Username, auth.Password})
		}
		answers = append(answers, l)
	}
	return json.NewEncoder(os.Stdout).Encode(answers)
}

// run starts the kubelet with an environment, and returns what it found and
// its log.
func (k kubelet) run(t *testing.T, env []string) ([]lookup, string, error) {
	t.Helper()
	input, err := json.Marshal(k)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), os.Args[0])
	cmd.Env = append([]string{asKubelet + "=1", "PATH=" + os.Getenv("PATH"), "HOME=" + t.TempDir()}, env...)
	var stdout, stderr bytes.Buffer
	cmd.Stdin, cmd.Stdout, cmd.Stderr = bytes.NewReader(input), &stdout, &stderr
	if err := cmd.Run(); err != nil {
		return nil, stderr.String(), err
	}
	var answers []lookup
	if err := json.Unmarshal(stdout.Bytes(), &answers); err != nil {
		t.Fatalf("%v: %s", err, stdout.Bytes())
	}
	return answers, stderr.String(), nil
}
