package doctor

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/pelletier/go-toml/v2"

	"ecr-cross-account-credential-provider/pkg/boundedfile"
	"ecr-cross-account-credential-provider/pkg/diagnosis"
	"ecr-cross-account-credential-provider/pkg/registry"
)

// checkMirrors checks each mirror: whether the kubelet asks the plugin, and whether
// containerd sends the token only to the registry.
func (e *examination) checkMirrors(ctx context.Context) {
	for _, m := range e.config.Mirrors {
		e.do(ctx, &diagnosis.Check{
			Kind: mirrorHosts, Subject: m.Host(), Needs: []*diagnosis.Check{e.kubelet.found, e.kubelet.read, e.kubelet.entered},
			Run: e.unlessUnread(func() diagnosis.Finding { return e.checkMirror(m) }),
		})
	}
}

func (e *examination) checkMirror(m registry.Mirror) diagnosis.Finding {
	image := m.Host() + "/app"
	if plugins := e.kubelet.pluginsFor(e.governing(image)); !anyMatches(plugins, image) {
		return diagnosis.Fail(diagnosis.Node, fmt.Sprintf("no pattern of provider %s matches %s", plugins[0].Name, m.Host()),
			patternHint(image, plugins[0].Name))
	}
	endpoint := "https://" + m.Registry().Host() + "/v2/" + strings.TrimSuffix(m.Prefix(), "/")
	example := "name " + endpoint + " as server and as the only host, both with override_path = true; containerd needs no restart"
	path, content, err := e.hostsFile(m.Host())
	if err != nil {
		return diagnosis.Fail(diagnosis.Node, err.Error(), example)
	}
	var hosts hostsToml
	if err := toml.Unmarshal(content, &hosts); err != nil {
		return diagnosis.Fail(diagnosis.Node, fmt.Sprintf("%s: %v", path, err), example)
	}
	if leaks := hosts.others(strings.TrimSuffix(endpoint, "/"), m.Host()); len(leaks) > 0 {
		return diagnosis.Fail(diagnosis.Node, fmt.Sprintf("%s lets containerd offer the token to %s", path, strings.Join(leaks, ", ")), example)
	}
	if _, ok := hosts.Host[hosts.Server]; len(hosts.Host) > 0 && !ok || !hosts.OverridePath || !hosts.Host[hosts.Server].OverridePath {
		return diagnosis.Fail(diagnosis.Node, path+" does not lead to "+endpoint, example)
	}
	return diagnosis.Fine(path + " leads to " + m.Registry().Host() + " only")
}

// hostsToml is containerd's configuration of a host.
type hostsToml struct {
	Server       string `toml:"server"`
	OverridePath bool   `toml:"override_path"`
	Host         map[string]struct {
		OverridePath bool `toml:"override_path"`
	} `toml:"host"`
}

// others returns the hosts that containerd tries besides the endpoint: those of the
// file, and last the server. The default server is the image's own host.
func (h hostsToml) others(endpoint, imageHost string) (found []string) {
	server := h.Server
	if server == "" {
		server = imageHost
	}
	for _, host := range append(slices.Sorted(maps.Keys(h.Host)), server) {
		if strings.TrimSuffix(host, "/") != endpoint && !slices.Contains(found, host) {
			found = append(found, host)
		}
	}
	return found
}

// certsDirs are the default directories in which containerd 2 looks for hosts.toml.
// containerd 1 has no default.
const certsDirs = "/etc/containerd/certs.d:/etc/docker/certs.d"

// containerdConfig is the part of containerd's configuration file that says where
// hosts.toml is.
type containerdConfig struct {
	Version int `toml:"version"` // 3 and later: containerd 2
	Plugins map[string]struct {
		Registry struct {
			ConfigPath *string `toml:"config_path"`
		} `toml:"registry"`
	} `toml:"plugins"`
}

// certsDirsOf returns the directories in which containerd looks for hosts.toml. It
// returns "" if there are none.
func certsDirsOf(config []byte) (string, error) {
	var c containerdConfig
	if err := toml.Unmarshal(config, &c); err != nil {
		return "", err
	}
	for _, plugin := range []string{"io.containerd.cri.v1.images", "io.containerd.grpc.v1.cri"} {
		if path := c.Plugins[plugin].Registry.ConfigPath; path != nil {
			return *path, nil
		}
	}
	if c.Version >= 3 {
		return certsDirs, nil
	}
	return "", nil
}

// anyHost is the directory for hosts that have none of their own.
const anyHost = "_default"

// hostNames returns the names of a host's directories in containerd's order. A port is
// also written as _PORT_.
func hostNames(host string) []string {
	if name, port, ok := strings.Cut(host, ":"); ok {
		return []string{name + "_" + port + "_", host, anyHost}
	}
	return []string{host, anyHost}
}

// hostsFile reads the hosts.toml for a host. Like containerd, it uses the first
// directory that exists.
func (e *examination) hostsFile(host string) (path string, content []byte, err error) {
	dirs, configFile := certsDirs, e.kubelet.path("/etc/containerd/config.toml")
	if config, err := boundedfile.Read(configFile, maxFile); err == nil {
		if dirs, err = certsDirsOf(config); err != nil {
			return "", nil, fmt.Errorf("%s: %w", configFile, err)
		}
	}
	if dirs == "" {
		return "", nil, fmt.Errorf("%s has no config_path for registries, so containerd reads no hosts.toml and offers the token to %s itself; set it to /etc/containerd/certs.d",
			configFile, host)
	}
	first := ""
	for dir := range strings.SplitSeq(dirs, ":") {
		for _, name := range hostNames(host) {
			path := e.kubelet.path(filepath.Join(dir, name, "hosts.toml"))
			content, err := boundedfile.Read(path, maxFile)
			if !errors.Is(err, fs.ErrNotExist) {
				return path, content, err
			}
			first = cmp.Or(first, path)
			if _, err := os.Stat(filepath.Dir(path)); err == nil { // containerd looks no further
				return "", nil, fmt.Errorf("%s does not exist, so containerd offers the token to %s itself", path, host)
			}
		}
	}
	return "", nil, fmt.Errorf("%s does not exist, so containerd offers the token to %s itself", first, host)
}
