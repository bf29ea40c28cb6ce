package examples_test

import (
	"bytes"
	"encoding/base64"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/pelletier/go-toml/v2"
	"go.yaml.in/yaml/v3"

	"ecr-cross-account-credential-provider/pkg/command"
	"ecr-cross-account-credential-provider/pkg/operator"
)

const (
	tool = "ecr-cross-account"

	installScript = "platforms/install.sh"
	userData      = "platforms/eks-user-data.mime"
	karpenter     = "platforms/karpenter.yaml"
	clusterAPI    = "platforms/cluster-api.yaml"
	kops          = "platforms/kops.yaml"
	talos         = "platforms/talos.yaml"
	bottlerocket  = "platforms/bottlerocket.toml"
)

// platformFiles are files with tests here. test/terraform parses the last two.
var platformFiles = []string{
	installScript, userData, karpenter, clusterAPI, kops, talos, bottlerocket, "platforms/packer.pkr.hcl", "platforms/launch-template.tf",
}

// object is a Kubernetes object.
type object[S any] struct {
	APIVersion string `yaml:"apiVersion"`
	Kind       string `yaml:"kind"`
	Metadata   struct {
		Name string `yaml:"name"`
	} `yaml:"metadata"`
	Spec S `yaml:"spec"`
}

// TestClusterAPI: the command runs the file. The flags are those that the plan of
// install names for kubeadm.
func TestClusterAPI(t *testing.T) {
	t.Parallel()
	var template object[struct {
		Template struct {
			Spec struct {
				Files []struct {
					Path, Owner, Permissions string
					ContentFrom              struct {
						Secret struct{ Name, Key string }
					} `yaml:"contentFrom"`
				}
				PreKubeadmCommands []string `yaml:"preKubeadmCommands"`
				JoinConfiguration  struct {
					NodeRegistration nodeRegistration `yaml:"nodeRegistration"`
				} `yaml:"joinConfiguration"`
			}
		}
	}]
	decode(t, read(t, clusterAPI), &template)
	spec := template.Spec.Template.Spec
	if template.Kind != "KubeadmConfigTemplate" || len(spec.Files) != 1 || spec.Files[0].Permissions != "0700" {
		t.Fatalf("got %+v; want one file with mode 0700", template)
	}
	file, secret := spec.Files[0], spec.Files[0].ContentFrom.Secret
	if !slices.Equal(spec.PreKubeadmCommands, []string{file.Path + " --platform kubeadm"}) {
		t.Errorf("got the commands %q; want one that runs %s", spec.PreKubeadmCommands, file.Path)
	}
	if command := "secret generic " + secret.Name + " --from-file=" + secret.Key; !strings.Contains(read(t, clusterAPI), command) || secret.Key != filepath.Base(installScript) {
		t.Errorf("got no command that creates the Secret %+v", secret)
	}
	if got, want := spec.JoinConfiguration.NodeRegistration.flags(), plannedFlags(t, "kubeadm"); !reflect.DeepEqual(got, want) {
		t.Errorf("got the flags %q; want %q, as install names them", got, want)
	}
}

// nodeRegistration is part of a configuration of kubeadm.
type nodeRegistration struct {
	KubeletExtraArgs []struct{ Name, Value string } `yaml:"kubeletExtraArgs"`
}

func (n nodeRegistration) flags() map[string]string {
	flags := map[string]string{}
	for _, arg := range n.KubeletExtraArgs {
		flags[arg.Name] = arg.Value
	}
	return flags
}

// TestPagesOfFlags: pages name the flags that the plan of install names for their
// platform.
func TestPagesOfFlags(t *testing.T) {
	t.Parallel()
	var join struct {
		APIVersion       string           `yaml:"apiVersion"`
		Kind             string           `yaml:"kind"`
		NodeRegistration nodeRegistration `yaml:"nodeRegistration"`
	}
	decode(t, firstBlock(t, "platforms/kubeadm.md", "yaml"), &join)
	if got, want := join.NodeRegistration.flags(), plannedFlags(t, "kubeadm"); !reflect.DeepEqual(got, want) {
		t.Errorf("kubeadm.md: got the flags %q; want %q, as install names them", got, want)
	}
	flags := nodeConfigFlags(t, firstBlock(t, "platforms/hybrid-nodes.md", "yaml"))
	if want := "--image-credential-provider-config=" + plannedFlags(t, "hybrid")["image-credential-provider-config"]; !slices.Equal(flags, []string{want}) {
		t.Errorf("hybrid-nodes.md: got the flags %q; want %s, as install names it", flags, want)
	}
}

// plannedFlags returns the kubelet's flags that install leaves to the operator.
func plannedFlags(t *testing.T, platform string) map[string]string {
	t.Helper()
	flags := map[string]string{}
	plan := planOf(t, "--platform", platform, "--kubelet-version", "v1.34")
	for _, flag := range regexp.MustCompile(`--(image-credential-provider-[a-z-]+)=(\S*[^\s;])`).FindAllStringSubmatch(plan, -1) {
		flags[flag[1]] = flag[2]
	}
	if len(flags) != 2 {
		t.Fatalf("got the flags %q, want 2 in the plan: %s", flags, plan)
	}
	return flags
}

// planOf returns the plan of install for minimal.yaml on an empty disk.
func planOf(t *testing.T, args ...string) string {
	t.Helper()
	dir := t.TempDir()
	for _, name := range []string{program, tool, "config.yaml"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(read(t, "minimal.yaml")), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	var stdout, stderr bytes.Buffer
	status := operator.Main(t.Context(), command.Process{
		Args:   append([]string{"install", "--plan", "--root", t.TempDir(), "--config", filepath.Join(dir, "config.yaml")}, args...),
		Stdout: &stdout, Stderr: &stderr, Getenv: func(string) string { return "" }, Environ: func() []string { return nil },
		Executable: func() (string, error) { return filepath.Join(dir, tool), nil },
	})
	if status != 0 || stderr.Len() > 0 {
		t.Fatalf("install %q: got status %d, stderr %s; want 0 and nothing", args, status, &stderr)
	}
	return stdout.String()
}

// firstBlock returns the first block of a page.
func firstBlock(t *testing.T, page, language string) string {
	t.Helper()
	block := regexp.MustCompile("(?s)```(\\w+)\n(.*?)```").FindStringSubmatch(read(t, page))
	if block == nil || block[1] != language {
		t.Fatalf("%s: got another first block, want one of %s", page, language)
	}
	return block[2]
}

// nodeConfigFlags returns the kubelet's flags of a NodeConfig.
func nodeConfigFlags(t *testing.T, content string) []string {
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
	if c.APIVersion != "node.eks.aws/v1alpha1" || c.Kind != "NodeConfig" {
		t.Errorf("got %s %s; want a NodeConfig", c.APIVersion, c.Kind)
	}
	return c.Spec.Kubelet.Flags
}

// TestKOps: the file is minimal.yaml, at the plugin's default path and with a mode that
// the plugin accepts.
func TestKOps(t *testing.T) {
	t.Parallel()
	var cluster object[struct {
		CloudProvider struct {
			AWS struct {
				BinariesLocation string `yaml:"binariesLocation"`
			} `yaml:"aws"`
		} `yaml:"cloudProvider"`
		FileAssets []struct{ Name, Path, Mode, Content string } `yaml:"fileAssets"`
	}]
	decode(t, read(t, kops), &cluster)
	if len(cluster.Spec.FileAssets) != 1 || !strings.HasPrefix(cluster.Spec.CloudProvider.AWS.BinariesLocation, "https://") {
		t.Fatalf("got %+v; want one file and a URL of the binaries", cluster)
	}
	file := cluster.Spec.FileAssets[0]
	if file.Path != "/etc/"+program+"/config.yaml" || file.Mode != "0644" || file.Content != body(read(t, "minimal.yaml")) {
		t.Errorf("got %+v; want minimal.yaml at the default path", file)
	}
}

// TestTalos: a kubelet accepts the provider, and asks it for the images of minimal.yaml.
func TestTalos(t *testing.T) {
	t.Parallel()
	found, example := talosProvider(t), providers(t, read(t, beside))[0]
	if found.Name != program || !slices.Equal(found.MatchImages, example.MatchImages) {
		t.Errorf("got %+v; want the patterns %q", found, example.MatchImages)
	}
}

func talosProvider(t *testing.T) kubeletProvider {
	t.Helper()
	var patch struct {
		Machine struct {
			Kubelet struct {
				CredentialProviderConfig yaml.Node `yaml:"credentialProviderConfig"`
			} `yaml:"kubelet"`
		} `yaml:"machine"`
	}
	decode(t, read(t, talos), &patch)
	text, err := yaml.Marshal(&patch.Machine.Kubelet.CredentialProviderConfig)
	if err != nil {
		t.Fatal(err)
	}
	found := providers(t, string(text))
	if len(found) != 1 {
		t.Fatalf("got the providers %+v; want one", found)
	}
	return found[0]
}

// TestBottlerocket: the AWS SDK, which the stock provider also uses, finds the role of
// minimal.yaml in the profile.
func TestBottlerocket(t *testing.T) {
	t.Parallel()
	var data struct {
		Settings struct {
			AWS        struct{ Profile, Config string } `toml:"aws"`
			Kubernetes struct {
				CredentialProviders map[string]struct {
					Enabled       bool     `toml:"enabled"`
					CacheDuration string   `toml:"cache-duration"`
					ImagePatterns []string `toml:"image-patterns"`
				} `toml:"credential-providers"`
			} `toml:"kubernetes"`
		} `toml:"settings"`
	}
	decoder := toml.NewDecoder(strings.NewReader(read(t, bottlerocket))).DisallowUnknownFields()
	if err := decoder.Decode(&data); err != nil {
		t.Fatal(err)
	}
	stock := data.Settings.Kubernetes.CredentialProviders["ecr-credential-provider"]
	if !stock.Enabled || !slices.Equal(stock.ImagePatterns, stockPatterns[:1]) {
		t.Errorf("got the stock provider %+v; want it enabled, with its first pattern", stock)
	}
	profiles, err := base64.StdEncoding.DecodeString(data.Settings.AWS.Config)
	if err != nil || string(profiles) != firstBlock(t, "platforms/bottlerocket.md", "ini") {
		t.Errorf("got config %s, error %v; want the block of bottlerocket.md", profiles, err)
	}
	file := filepath.Join(t.TempDir(), "config")
	if err := os.WriteFile(file, profiles, 0o600); err != nil {
		t.Fatal(err)
	}
	profile, err := config.LoadSharedConfigProfile(t.Context(), data.Settings.AWS.Profile, func(o *config.LoadSharedConfigOptions) {
		o.ConfigFiles, o.CredentialsFiles = []string{file}, []string{}
	})
	if err != nil {
		t.Fatal(err)
	}
	minimal := read(t, "minimal.yaml")
	if !strings.Contains(minimal, "- arn: "+profile.RoleARN+"\n") || !strings.Contains(minimal, "externalID: "+profile.ExternalID+" ") || profile.CredentialSource != "Ec2InstanceMetadata" {
		t.Errorf("got the profile %+v; want the role of minimal.yaml", profile)
	}
}

// TestPagesOfInstall: if a message of install names a page, the page exists.
func TestPagesOfInstall(t *testing.T) {
	t.Parallel()
	sources, err := filepath.Glob("../pkg/install/*.go")
	if err != nil {
		t.Fatal(err)
	}
	var named []string
	for _, source := range sources {
		named = append(named, regexp.MustCompile(`config-examples/[\w/.-]*\w`).FindAllString(read(t, source), -1)...)
	}
	if len(named) < 4 {
		t.Fatalf("got only the pages %q; want more", named)
	}
	for _, page := range named {
		if _, err := os.Stat(filepath.Join("..", page)); err != nil {
			t.Error(err)
		}
	}
}
