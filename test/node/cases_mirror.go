package main

import (
	"context"
	"fmt"
	"strings"
)

const (
	cached = "library/nginx:1"

	dockerHosts = certsDir + "/docker.io/hosts.toml"
)

// mirrorExamples are the examples for images of Docker Hub that containerd pulls
// through a cache in another account.
var mirrorExamples = map[string]string{
	configPath:          "config-examples/mirrors.yaml",
	dockerHosts:         "config-examples/mirrors/hosts.toml",
	providersConfigPath: "config-examples/kubelet/mirrors.yaml",
}

// mirrorCases: the kubelet requests credentials for docker.io, and containerd sends
// them to ECR.
var mirrorCases = []Case{
	{ID: "14a", Name: "Docker Hub through another account's cache", Setup: Setup{Examples: mirrorExamples}, Run: throughCache},
	{ID: "14b", Name: "a mirror that falls back to Docker Hub gives it the token", Setup: Setup{Examples: mirrorExamples}, Run: fallsBack},
}

func throughCache(ctx context.Context, n *Node) error {
	return steps(
		func() error { return n.registries.push(ctx, n.baker, firstRegistry+"/docker-hub/"+cached) },
		func() error { return n.StartKubelet(ctx) },
		func() error { return n.Pod(ctx, "app", "docker.io/"+cached) },
		func() error { return n.Ready(ctx, "app") },
		func() error { return n.PulledBy(firstRegistry+"/docker-hub/"+cached, firstSession) },
		func() error { return n.dockerHubGot("") },
	)
}

// withoutServer removes the server from hosts.toml, so that containerd falls back
// to Docker Hub.
func withoutServer() error {
	text, err := document("config-examples/mirrors/hosts.toml")
	if err != nil {
		return err
	}
	var kept []string
	for line := range strings.Lines(text) {
		if !strings.HasPrefix(line, "server =") {
			kept = append(kept, line)
		}
	}
	return writeFile(dockerHosts, strings.Join(kept, ""), 0o644)
}

// fallsBack: hosts.toml has no server, and the image is not in the cache. So containerd
// asks Docker Hub, and sends it the token.
func fallsBack(ctx context.Context, n *Node) error {
	return steps(
		withoutServer,
		func() error { return n.StartKubelet(ctx) },
		func() error { return n.Pod(ctx, "app", "docker.io/"+cached) },
		func() error { return n.Waiting(ctx, "ErrImagePull", "", "app") },
		func() error { return n.dockerHubGot(firstSession) },
	)
}

// dockerHubGot returns an error unless the last token that Docker Hub got is this
// principal's. An empty principal means no request at all.
func (n *Node) dockerHubGot(principal string) error {
	got := ""
	for _, a := range n.registries.accesses() {
		if a.host != dockerHub {
			continue
		}
		if principal == "" {
			return fmt.Errorf("docker.io got a request, want none: %s", a)
		}
		if a.principal != "" {
			got = a.principal
		}
	}
	if got != principal {
		return fmt.Errorf("docker.io got a token of %q, want %q", got, principal)
	}
	return nil
}
