package examples_test

import (
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"net/mail"
	"slices"
	"strings"
	"testing"
)

const (
	userData      = "eks/al2023-user-data-1.34.mime"
	userDataOlder = "eks/al2023-user-data-older.mime"
	bake          = "eks/bake-ami.sh"
)

const (
	directoryFlag = "/etc/eks/image-credential-provider"
	fileFlag      = "/etc/" + program + "/credential-providers.yaml"
)

// installer is a file with a script that installs the plugin on a node.
type installer struct {
	file      string
	kubelet   string // the node's version
	flag      string // --image-credential-provider-config
	providers string // the example that the provider configuration is
}

var installers = map[string]installer{
	"user data":       {userData, "v1.34.2-eks-ecaa3a6", directoryFlag, beside},
	"user data older": {userDataOlder, "v1.33.5-eks-ecaa3a6", fileFlag, besideOlder},
	"bake":            {bake, "v1.34.0-eks-ecaa3a6", directoryFlag, beside},
	"bake older":      {bake, "v1.33.5-eks-ecaa3a6", fileFlag, besideOlder},
}

func TestUserData(t *testing.T) {
	t.Parallel()
	minimal := "<<'EOF'\n" + body(read(t, "minimal.yaml")) + "EOF\n"
	for name, in := range installers {
		if in.file == bake {
			continue
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			nodeConfig, script := parts(t, in.file)
			checkNodeConfig(t, nodeConfig, in.flag)
			if i := strings.IndexFunc(script, func(r rune) bool { return r > 126 }); i >= 0 {
				t.Errorf("the script is not in us-ascii: %q", script[i:])
			}
			if strings.Count(script, minimal) != 1 {
				t.Errorf("the script does not hold minimal.yaml")
			}
		})
	}
}

// parts splits user data like nodeadm and cloud-init.
func parts(t *testing.T, file string) (nodeConfig, script string) {
	t.Helper()
	message, err := mail.ReadMessage(strings.NewReader(read(t, file)))
	if err != nil {
		t.Fatal(err)
	}
	mediaType, params, err := mime.ParseMediaType(message.Header.Get("Content-Type"))
	if err != nil || mediaType != "multipart/mixed" || message.Header.Get("MIME-Version") != "1.0" {
		t.Fatalf("%s: %q, %v", file, mediaType, err)
	}
	reader := multipart.NewReader(message.Body, params["boundary"])
	nodeConfig = nextPart(t, reader, "application/node.eks.aws")
	script = nextPart(t, reader, "text/x-shellscript")
	if _, err := reader.NextPart(); !errors.Is(err, io.EOF) {
		t.Errorf("%s: after the two parts: %v; want the end", file, err)
	}
	return nodeConfig, script
}

func nextPart(t *testing.T, parts *multipart.Reader, want string) string {
	t.Helper()
	part, err := parts.NextPart()
	if err != nil {
		t.Fatal(err)
	}
	if mediaType, _, err := mime.ParseMediaType(part.Header.Get("Content-Type")); err != nil || mediaType != want {
		t.Fatalf("a part of type %q, %v; want %s", mediaType, err, want)
	}
	body, err := io.ReadAll(part)
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}

func checkNodeConfig(t *testing.T, content, flag string) {
	t.Helper()
	var c struct {
		APIVersion string `yaml:"apiVersion"`
		Kind       string `yaml:"kind"`
		Spec       struct {
			Kubelet struct {
				Flags []string `yaml:"flags"`
			} `yaml:"kubelet"`
		} `yaml:"spec"`
	}
	decode(t, content, &c)
	if want := []string{"--image-credential-provider-config=" + flag}; !slices.Equal(c.Spec.Kubelet.Flags, want) {
		t.Errorf("flags %q; want %q", c.Spec.Kubelet.Flags, want)
	}
	if c.APIVersion != "node.eks.aws/v1alpha1" || c.Kind != "NodeConfig" {
		t.Errorf("%s %s", c.APIVersion, c.Kind)
	}
	if !strings.HasPrefix(content, "# ") {
		t.Errorf("the user data does not begin with a comment")
	}
}
