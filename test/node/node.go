package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"ecr-cross-account-credential-provider/test/fakeaws"
)

// Node is a machine with a kubelet, and the services that it reaches.
type Node struct {
	AWS        *fakeaws.Server
	registries *registries
	baker      baker
	setup      Setup
	cgroup     string
	kubelet    *process
	systemd    *systemd   // nil unless the Setup has one
	api        *apiServer // nil unless the Setup has one
	installed  int        // number of installed plugins so far
}

// Setup describes a node before its kubelet starts.
type Setup struct {
	// Config is the plugin's configuration without its first lines. Empty means
	// none.
	Config string
	// Files are additional files, by path.
	Files map[string]string
	// Examples are additional files, by path. They are copies of files of the
	// repository.
	Examples map[string]string
	// APIServer starts an API server for the kubelet.
	APIServer bool
	// Systemd makes the stand-in for systemd run the kubelet.
	Systemd bool
	// ProvidersDirectory gives the kubelet a directory with the providers' configuration.
	ProvidersDirectory bool
	// NoPlugin starts the kubelet without providers.
	NoPlugin bool
	// Providers are the kubelet's providers. Empty means only the plugin.
	Providers []Provider
	// Kubelet is added to the kubelet's configuration.
	Kubelet string
	// Hosts is containerd's hosts.toml, by host.
	Hosts map[string]string
	// World changes the accounts.
	World func(*fakeaws.World)
	// RoundTrip is the time of a round trip to AWS.
	RoundTrip time.Duration
	// Unwatched lets the kubelet run the plugin directly, with no witness.
	Unwatched bool
}

// Provider is an entry of the kubelet's CredentialProviderConfig. Each entry runs the
// plugin, under any name.
type Provider struct {
	Name          string
	Args          []string
	MatchImages   []string
	CacheDuration string // empty means 0s
}

// allOfECR has the patterns of matchImages on Amazon EKS, for partition aws.
var allOfECR = []string{"*.dkr.ecr.*.amazonaws.com", "*.dkr-ecr.*.on.aws", "*.dkr.ecr-fips.*.amazonaws.com", "*.dkr-ecr-fips.*.on.aws", "public.ecr.aws"}

func (s Setup) providers() []Provider {
	if s.NoPlugin {
		return nil
	}
	if len(s.Providers) > 0 {
		return s.Providers
	}
	return []Provider{{Name: pluginName}}
}

// newNode sets up the node, except the kubelet.
func newNode(ctx context.Context, setup Setup, cgroup string) (*Node, error) {
	world := newWorld()
	if setup.World != nil {
		setup.World(world)
	}
	aws, err := startAWS(world, setup.RoundTrip) //nolint:contextcheck // it serves until the node ends
	if err != nil {
		return nil, fmt.Errorf("starting AWS: %w", err)
	}
	n := &Node{AWS: aws, setup: setup, cgroup: cgroup}
	if n.baker, err = newBaker(); err != nil {
		return nil, err
	}
	if n.registries, err = serveRegistries(world, aws.TLS()); err != nil {
		return nil, fmt.Errorf("starting the registries: %w", err)
	}
	if err := n.registries.push(ctx, n.baker, sandboxImage); err != nil {
		return nil, err
	}
	if err := n.install(); err != nil {
		return nil, err
	}
	if setup.Systemd {
		if err := makeToolRoot(); err != nil {
			return nil, err
		}
		if n.systemd, err = startSystemd(n.launchKubelet); err != nil {
			return nil, fmt.Errorf("starting the stand-in for systemd: %w", err)
		}
	}
	return n, n.startDaemons(ctx)
}

// startDaemons starts the daemons that the kubelet needs, all at once.
func (n *Node) startDaemons(ctx context.Context) error {
	if !n.setup.APIServer {
		return n.startContainerd(ctx)
	}
	started := make(chan error, 1)
	go func() { started <- n.startContainerd(ctx) }()
	var err error
	n.api, err = startAPIServer(ctx, n.AWS.World)
	return errors.Join(err, <-started)
}

func (n *Node) install() error {
	for _, p := range n.setup.providers() {
		if err := n.Install(p.Name, !n.setup.Unwatched); err != nil {
			return err
		}
	}
	path := providersConfigPath
	if n.setup.ProvidersDirectory {
		path = filepath.Join(providersConfigDir, "50-others.yaml")
	}
	if err := writeFile(path, providersConfig(n.setup.providers()), 0o644); err != nil {
		return err
	}
	if err := n.setup.installFiles(); err != nil {
		return err
	}
	if n.setup.Config != "" {
		if err := n.Configure(n.setup.Config); err != nil {
			return err
		}
	}
	return os.MkdirAll(manifestsDir, 0o755)
}

func (s Setup) installFiles() error {
	for host, text := range s.Hosts {
		if err := writeFile(certsDir+"/"+host+"/hosts.toml", text, 0o644); err != nil {
			return err
		}
	}
	for path, text := range s.Files {
		if err := writeFile(path, text, 0o644); err != nil {
			return err
		}
	}
	for path, name := range s.Examples {
		text, err := document(name)
		if err != nil {
			return err
		}
		if err := writeFile(path, text, 0o644); err != nil {
			return err
		}
	}
	return nil
}

// document returns the content of a file of the repository.
func document(name string) (string, error) {
	text, err := os.ReadFile(filepath.Join(repositoryDir, name))
	return string(text), err
}

func providersConfig(providers []Provider) string {
	var s strings.Builder
	s.WriteString("apiVersion: kubelet.config.k8s.io/v1\nkind: CredentialProviderConfig\nproviders:\n")
	for _, p := range providers {
		if len(p.MatchImages) == 0 {
			p.MatchImages = allOfECR
		}
		if p.CacheDuration == "" {
			p.CacheDuration = "0s"
		}
		fmt.Fprintf(&s, "- name: %s\n  apiVersion: credentialprovider.kubelet.k8s.io/v1\n  defaultCacheDuration: %s\n  args: [%s]\n  matchImages:\n",
			p.Name, p.CacheDuration, strings.Join(p.Args, ", "))
		for _, m := range p.MatchImages {
			fmt.Fprintf(&s, "  - %q\n", m)
		}
	}
	return s.String()
}
