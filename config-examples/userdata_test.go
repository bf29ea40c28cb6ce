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

// TestInstallScript: the script holds minimal.yaml, and cloud-init takes it.
func TestInstallScript(t *testing.T) {
	t.Parallel()
	script := read(t, installScript)
	if strings.Count(script, "<<'EOF'\n"+body(read(t, "minimal.yaml"))+"EOF\n") != 1 {
		t.Error("the script does not hold minimal.yaml")
	}
	if i := strings.IndexFunc(script, func(r rune) bool { return r > 126 }); i >= 0 {
		t.Errorf("the script is not in us-ascii: %q", script[i:])
	}
	if info, err := os.Stat(installScript); err != nil || info.Mode()&0o100 == 0 {
		t.Errorf("the script is not executable: %v", err)
	}
}

// TestUserData takes user data apart as cloud-init does: it is the script.
func TestUserData(t *testing.T) {
	t.Parallel()
	message, err := mail.ReadMessage(strings.NewReader(read(t, userData)))
	if err != nil {
		t.Fatal(err)
	}
	mediaType, params, err := mime.ParseMediaType(message.Header.Get("Content-Type"))
	if err != nil || mediaType != "multipart/mixed" || message.Header.Get("MIME-Version") != "1.0" {
		t.Fatalf("%q, %v", mediaType, err)
	}
	parts := multipart.NewReader(message.Body, params["boundary"])
	part, err := parts.NextPart()
	if err != nil {
		t.Fatal(err)
	}
	if mediaType, _, err := mime.ParseMediaType(part.Header.Get("Content-Type")); err != nil || mediaType != "text/x-shellscript" {
		t.Errorf("a part of type %q, %v", mediaType, err)
	}
	if script, err := io.ReadAll(part); err != nil || string(script) != read(t, installScript) {
		t.Errorf("the part is not install.sh: %v", err)
	}
	if _, err := parts.NextPart(); !errors.Is(err, io.EOF) {
		t.Errorf("after the part: %v; want the end", err)
	}
}

// TestKarpenter: the user data is the script. Karpenter takes what is no map in YAML
// for a script.
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
		t.Errorf("%+v", class)
	}
	if class.Spec.UserData != read(t, installScript) {
		t.Error("userData is not install.sh")
	}
	if err := yaml.Unmarshal([]byte(class.Spec.UserData), &map[string]any{}); err == nil {
		t.Error("Karpenter takes the script for a NodeConfig")
	}
}
