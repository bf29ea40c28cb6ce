package examples_test

import (
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"net/mail"
	"os"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

// TestInstallScript: the script contains minimal.yaml, is executable, and is
// plain ASCII, as cloud-init needs it.
func TestInstallScript(t *testing.T) {
	t.Parallel()
	script := read(t, installScript)
	if strings.Count(script, "<<'EOF'\n"+body(read(t, "minimal.yaml"))+"EOF\n") != 1 {
		t.Error("got a script without minimal.yaml")
	}
	if i := strings.IndexFunc(script, func(r rune) bool { return r > 126 }); i >= 0 {
		t.Errorf("got %q in the script; want only us-ascii", script[i:])
	}
	if info, err := os.Stat(installScript); err != nil || info.Mode()&0o100 == 0 {
		t.Errorf("got a script that is not executable, or error %v", err)
	}
}

// TestUserData: cloud-init finds only the script in the user data.
func TestUserData(t *testing.T) {
	t.Parallel()
	message, err := mail.ReadMessage(strings.NewReader(read(t, userData)))
	if err != nil {
		t.Fatal(err)
	}
	mediaType, params, err := mime.ParseMediaType(message.Header.Get("Content-Type"))
	if err != nil || mediaType != "multipart/mixed" || message.Header.Get("MIME-Version") != "1.0" {
		t.Fatalf("got %q, error %v; want multipart/mixed", mediaType, err)
	}
	parts := multipart.NewReader(message.Body, params["boundary"])
	part, err := parts.NextPart()
	if err != nil {
		t.Fatal(err)
	}
	if mediaType, _, err := mime.ParseMediaType(part.Header.Get("Content-Type")); err != nil || mediaType != "text/x-shellscript" {
		t.Errorf("got a part of type %q, error %v; want text/x-shellscript", mediaType, err)
	}
	if script, err := io.ReadAll(part); err != nil || string(script) != read(t, installScript) {
		t.Errorf("got another part or error %v; want install.sh", err)
	}
	if _, err := parts.NextPart(); !errors.Is(err, io.EOF) {
		t.Errorf("after the part: got %v; want the end", err)
	}
}

// TestKarpenter: the user data is the script. It is not a mapping in YAML, which
// Karpenter would read as a NodeConfig.
func TestKarpenter(t *testing.T) {
	t.Parallel()
	var class object[struct {
		AMISelectorTerms []struct {
			Alias string `yaml:"alias"`
		} `yaml:"amiSelectorTerms"`
		Role    string `yaml:"role"`
		Subnets []struct {
			Tags map[string]string `yaml:"tags"`
		} `yaml:"subnetSelectorTerms"`
		SecurityGroups []struct {
			Tags map[string]string `yaml:"tags"`
		} `yaml:"securityGroupSelectorTerms"`
		UserData string `yaml:"userData"`
	}]
	decode(t, read(t, karpenter), &class)
	if class.APIVersion != "karpenter.k8s.aws/v1" || class.Kind != "EC2NodeClass" || len(class.Spec.AMISelectorTerms) != 1 {
		t.Errorf("got %+v; want an EC2NodeClass", class)
	}
	if class.Spec.UserData != read(t, installScript) {
		t.Error("got other userData; want install.sh")
	}
	if err := yaml.Unmarshal([]byte(class.Spec.UserData), &map[string]any{}); err == nil {
		t.Error("got a mapping in YAML; want a script")
	}
}
