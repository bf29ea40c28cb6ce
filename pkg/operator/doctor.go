package operator

import (
	"context"
	"flag"
	"fmt"
	"net"
	"os"
	"os/exec" //nolint:depguard // this program, unlike the plugin, asks the kubelet for its version
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"ecr-cross-account-credential-provider/pkg/boundedfile"
	"ecr-cross-account-credential-provider/pkg/command"
	"ecr-cross-account-credential-provider/pkg/config"
	"ecr-cross-account-credential-provider/pkg/diagnosis"
	"ecr-cross-account-credential-provider/pkg/doctor"
	"ecr-cross-account-credential-provider/pkg/printable"
	"ecr-cross-account-credential-provider/pkg/secret"
)

// doctorCommand examines the node.
func doctorCommand(conf *command.Configuration) command.Command {
	return command.Command{
		Name: "doctor", Args: "[IMAGE]...", Summary: "check this node: why an image is not pulled, who can repair it, and what is missing",
		Example: "doctor 444455556666.dkr.ecr.eu-west-1.amazonaws.com/team-a/app:v1",
		New: func(flags *flag.FlagSet) command.Run {
			conf.Register(flags)
			var d doctor.Doctor
			var pod podFlags
			json := command.OutputFlag(flags)
			pod.register(flags)
			flags.StringVar(&d.KubeletConfig, "kubelet-config", "", "the kubelet's CredentialProviderConfig, a file or a directory (`PATH`), in place of a running kubelet's")
			flags.StringVar(&d.BinDir, "bin-dir", "", "the directory of the kubelet's plugins (`PATH`), with --kubelet-config")
			flags.BoolVar(&d.ProbeExternalID, "probe-external-id", false, "also assume each role without its external ID; the owner's CloudTrail shows the denied call")
			flags.BoolVar(&d.Import, "import", false, "also ask for images of a pull-through cache, which imports them")
			return func(ctx context.Context, p command.Process, images []string) (err error) {
				if d.Pod, err = pod.read(); err != nil {
					return err
				}
				if (d.KubeletConfig == "") != (d.BinDir == "") {
					return command.UsageError("--kubelet-config PATH and --bin-dir PATH belong together")
				}
				d.Process, d.Architecture, d.Proc, d.Execute = p, runtime.GOARCH, "/proc", execute
				d.Unprivileged = os.Geteuid() != 0
				d.Dial = (&net.Dialer{Timeout: 3 * time.Second}).DialContext
				d.Load = func(args []string, root string) (config.Config, error) { return loadFor(*conf, p, args, root) }
				return examine(ctx, d, images, *json)
			}
		},
	}
}

// loadFor reads the configuration that the flags name. Without flags, it reads the
// plugin's configuration below a root directory. args are the arguments of the plugin's
// entry, which may name the file.
func loadFor(conf command.Configuration, p command.Process, args []string, root string) (config.Config, error) {
	if conf.Path != "" || len(conf.Roles) > 0 {
		return conf.Load(p)
	}
	if err := conf.ParseArgs(args); err != nil {
		return config.Config{}, fmt.Errorf("the args of the plugin's entry: %w", err)
	}
	below := func(path string) string {
		if path == "" || root == "" {
			return path
		}
		return filepath.Join(root, path)
	}
	getenv := p.Getenv
	p.Getenv = func(name string) string {
		if name == command.ConfigVariable {
			return below(getenv(name))
		}
		return getenv(name)
	}
	conf.Path, p.DefaultConfig = below(conf.Path), below(p.DefaultConfig)
	return conf.Load(p)
}

// execute runs a program, such as the kubelet, and returns the start of its output.
func execute(ctx context.Context, path string, args ...string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	cmd := exec.CommandContext(ctx, path, args...) //nolint:gosec // the node's own kubelet and plugin
	cmd.Env, cmd.WaitDelay = []string{}, time.Second
	out, err := cmd.Output()
	return printable.Line(string(out), 1000), err
}

// examine runs the checks and prints them.
func examine(ctx context.Context, d doctor.Doctor, images []string, json bool) error {
	p := d.Process
	text := diagnosis.NewText(p.Stdout, p.Color())
	report := &diagnosis.Report{}
	if !json {
		report.Done = text.Check
	}
	d.Run(ctx, images, report)
	write := func() error { return text.End(report) }
	if json {
		write = func() error { return report.WriteJSON(p.Stdout) }
	}
	if err := write(); err != nil {
		return err
	}
	if !report.Success() {
		return command.Reported(command.FoundProblem)
	}
	return nil
}

// podFlags name a pod's service account.
type podFlags struct {
	name, tokenFile string
	annotations     map[string]string
}

func (f *podFlags) register(flags *flag.FlagSet) {
	f.annotations = map[string]string{}
	flags.StringVar(&f.name, "as-service-account", "", "examine the pull of a pod with this service account, `NAMESPACE/NAME`")
	flags.StringVar(&f.tokenFile, "token-file", "", "a `FILE` with a token of the service account, for the audience of the provider's tokenAttributes")
	flags.Func("annotation", "an annotation of the service account, `KEY=VALUE`", func(s string) error {
		key, value, ok := strings.Cut(s, "=")
		if !ok || key == "" {
			return fmt.Errorf("%q is not KEY=VALUE", printable.Short(s))
		}
		f.annotations[key] = value
		return nil
	})
}

// maxToken limits the file of a token. The limit of a kubelet's request is the same.
const maxToken = 1 << 20

// read returns the pod, or nil if the flags name none.
func (f *podFlags) read() (*doctor.Pod, error) {
	namespace, name, ok := strings.Cut(f.name, "/")
	switch {
	case f.name == "" && f.tokenFile == "" && len(f.annotations) == 0:
		return nil, nil
	case f.name == "" || f.tokenFile == "":
		return nil, command.UsageError("--as-service-account NAMESPACE/NAME and --token-file FILE belong together; to make a token, run: kubectl create token NAME -n NAMESPACE")
	case !ok || namespace == "" || name == "" || strings.Contains(name, "/"):
		return nil, command.UsageError("--as-service-account %q is not NAMESPACE/NAME", printable.Short(f.name))
	}
	token, err := boundedfile.Read(f.tokenFile, maxToken)
	if err != nil {
		return nil, fmt.Errorf("reading the token of --token-file: %w", err)
	}
	pod := &doctor.Pod{Name: f.name}
	pod.Token, pod.Annotations = secret.New(strings.TrimSpace(string(token))), f.annotations
	return pod, nil
}
