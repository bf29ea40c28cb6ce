package operator

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"os/exec" //nolint:depguard // unlike the plugin, this program runs the node's own programs
	"path/filepath"
	"strings"
	"time"

	"ecr-cross-account-credential-provider/pkg/command"
	"ecr-cross-account-credential-provider/pkg/install"
	"ecr-cross-account-credential-provider/pkg/providerconfig"
)

// installCommand puts the plugin on a node.
func installCommand(conf *command.Configuration) command.Command {
	return command.Command{
		Name:    "install",
		Summary: "put the plugin, its configuration and the kubelet's configuration on this node or into a machine image",
		Example: "install --config minimal.yaml --plan", EndsItself: true,
		New: func(flags *flag.FlagSet) command.Run {
			var o install.Options
			conf.RegisterFile(flags)
			root := rootFlag(flags, &o)
			flags.StringVar(&o.Plugin, "plugin", "", "the plugin's `FILE`; by default the one beside this program or in ../libexec, else the one installed")
			command.Choice(flags, "platform", "the `KIND` of node: "+strings.Join(install.Platforms(), ", "), install.Platforms(), func(s string) error {
				o.Platform = s
				return nil
			})
			flags.StringVar(&o.KubeletVersion, "kubelet-version", "", "the kubelet's `VERSION`, such as v1.34; by default that of the kubelet on the disk")
			flags.StringVar(&o.BinDir, "bin-dir", "", "the kubelet's --image-credential-provider-bin-dir (`DIR`), with --provider-config")
			flags.StringVar(&o.ProviderConfig, "provider-config", "", "the kubelet's --image-credential-provider-config (`PATH`), with --bin-dir")
			flags.BoolVar(&o.InsteadOfStock, "instead-of-stock", false, "serve all of Amazon ECR, and remove the stock provider's entry")
			flags.BoolVar(&o.Restart, "restart", false, "restart the kubelet if anything changed; if it is not healthy then, restore the former files")
			return func(ctx context.Context, p command.Process, args []string) error {
				if err := check(o, args); err != nil {
					return err
				}
				o.Config = cmp.Or(conf.Path, p.Getenv(command.ConfigVariable))
				var err error
				if o.Tool, err = p.Executable(); err != nil {
					return fmt.Errorf("finding this program's own file: %w", err)
				}
				if o.Plugin == "" {
					o.Plugin = pluginBeside(o.Tool)
				}
				return withCure(installer(p, *root).Install(ctx, o), os.Geteuid())
			}
		},
	}
}

// uninstallCommand removes the plugin from a node.
func uninstallCommand() command.Command {
	return command.Command{
		Name:    "uninstall",
		Summary: "remove what install put on this node, and restore the former files",
		Example: "uninstall --plan", EndsItself: true,
		New: func(flags *flag.FlagSet) command.Run {
			var o install.Options
			root := rootFlag(flags, &o)
			flags.BoolVar(&o.Restart, "restart", false, "restart the kubelet before the plugin is removed")
			return func(ctx context.Context, p command.Process, args []string) error {
				if len(args) > 0 {
					return command.UsageError("uninstall takes no arguments")
				}
				return withCure(installer(p, *root).Uninstall(ctx, o), os.Geteuid())
			}
		},
	}
}

func rootFlag(flags *flag.FlagSet, o *install.Options) (root *string) {
	flags.BoolVar(&o.PlanOnly, "plan", false, "print what would be done, and do nothing")
	return flags.String("root", "/", "the root `DIR` of the node, if it is not this machine, such as an image that is being built")
}

// check checks that the flags of install fit together.
func check(o install.Options, args []string) error {
	switch {
	case len(args) > 0:
		return command.UsageError("install takes no arguments; name the configuration with --config FILE")
	case (o.BinDir == "") != (o.ProviderConfig == ""):
		return command.UsageError("--bin-dir DIR and --provider-config PATH belong together")
	case o.BinDir != "" && (!filepath.IsAbs(o.BinDir) || !filepath.IsAbs(o.ProviderConfig)):
		return command.UsageError("--bin-dir and --provider-config are paths of the node; they start with /")
	}
	return nil
}

// withCure gives usage errors their exit status. If a user other than root lacks a
// permission, the error says what to do.
func withCure(err error, user int) error {
	if user != 0 && errors.Is(err, fs.ErrPermission) {
		err = fmt.Errorf("%w; run it as root", err)
	}
	if _, ok := errors.AsType[install.UsageError](err); ok {
		return &command.ExitError{Status: command.Misused, Err: err}
	}
	return err
}

// pluginBeside returns the plugin that belongs to this program. The plugin is beside
// this program, or in libexec, where a package puts it. If neither file exists, the
// result is empty.
func pluginBeside(tool string) string {
	for _, plugin := range []string{
		filepath.Join(filepath.Dir(tool), providerconfig.PluginName),
		filepath.Join(filepath.Dir(filepath.Dir(tool)), "libexec", providerconfig.PluginName),
	} {
		if _, err := os.Stat(plugin); err == nil {
			return plugin
		}
	}
	return ""
}

// installer returns the installer for this machine, or for the disk of another machine.
func installer(p command.Process, root string) *install.Installer {
	i := &install.Installer{Root: filepath.Clean(root), Version: p.Version, Out: p.Stdout, Execute: execute, Health: askHealth}
	if i.Root != "/" {
		return i
	}
	i.Proc = "/proc"
	if _, err := os.Stat("/run/systemd/system"); err == nil { // sd_booted(3)
		i.Services = install.Systemd{Execute: control}
	}
	return i
}

// controlTimeout limits one call of systemd. A restart of k3s returns when k3s is
// ready.
const controlTimeout = 3 * time.Minute

// control runs a program of systemd and returns what it prints.
func control(ctx context.Context, name string, args ...string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, controlTimeout)
	defer cancel()
	cmd := exec.CommandContext(ctx, name, args...) //nolint:gosec // systemd's own programs
	cmd.WaitDelay = time.Second
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// healthURL is the default address of a kubelet's health check (healthzPort).
const healthURL = "http://127.0.0.1:10248/healthz"

// askHealth asks this machine's kubelet whether it is healthy.
func askHealth(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, healthURL, nil)
	if err != nil {
		return err
	}
	resp, err := (&http.Client{Transport: &http.Transport{Proxy: nil, DisableKeepAlives: true}}).Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close() //nolint:errcheck // reading is complete
	if body, _ := io.ReadAll(io.LimitReader(resp.Body, 1000)); resp.StatusCode != http.StatusOK {
		return fmt.Errorf("%s: %s %s", healthURL, resp.Status, body)
	}
	return nil
}
