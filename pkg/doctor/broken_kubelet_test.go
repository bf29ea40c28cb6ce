package doctor

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"time"

	"ecr-cross-account-credential-provider/pkg/diagnosis"
	"ecr-cross-account-credential-provider/test/fakeaws"
)

// provide replaces text in the kubelet's configuration of providers. The text must
// exist.
func (n *node) provide(old, with string) {
	n.t.Helper()
	if !strings.Contains(n.providers, old) {
		n.t.Fatalf("%q is not in the kubelet's configuration", old)
	}
	n.providers = strings.ReplaceAll(n.providers, old, with)
}

// armProgram is the start of a program for arm64.
const armProgram = "\x7fELF\x02\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02\x00\xb7\x00\x01\x00\x00\x00"

const stock = "- name: ecr-credential-provider\n  apiVersion: credentialprovider.kubelet.k8s.io/v1\n  matchImages: [\"*.dkr.ecr.*.amazonaws.com\"]\n  defaultCacheDuration: 12h\n"

func brokenKubelets() []broken {
	onNode := diagnosis.Node
	plugin := "root/usr/libexec/plugins/" + pluginName
	return []broken{
		{name: "no kubelet", code: "D01", side: onNode, words: "journalctl -u kubelet", breakIt: func(n *node) { n.flags = nil }},
		{name: "no kubelet that this user sees", code: "D01", result: diagnosis.Skipped, words: "run doctor as root", breakIt: func(n *node) {
			n.flags, n.doctor.Unprivileged = nil, true
		}},
		{name: "no flags", code: "D01", side: onNode, words: "runs no provider", breakIt: func(n *node) { n.flags = []string{"--v=2"} }},
		{name: "no directory of plugins", code: "D01", side: onNode, words: "it has no --image-credential-provider-bin-dir", breakIt: func(n *node) { n.flags = n.flags[:1] }},
		{name: "unknown field", code: "D02", side: onNode, words: "unknown field roleARN", breakIt: func(n *node) { n.providers += "  roleARN: x\n" }},
		{name: "no file", code: "D02", side: onNode, words: "no such file", breakIt: func(n *node) { n.providers = "" }},
		{name: "a directory before 1.34", code: "D02", side: onNode, words: "needs kubelet 1.34 or later, and this kubelet is 1.33", breakIt: func(n *node) {
			n.version, n.flags[0] = "Kubernetes v1.33.1", "--image-credential-provider-config=/etc/kubelet"
		}},
		{name: "no entry", code: "D03", side: onNode, words: "add an entry", breakIt: func(n *node) { n.providers = providersHead + stock }},
		{name: "no program", code: "D03", side: onNode, words: "no such file", breakIt: func(n *node) {
			if err := os.Remove(filepath.Join(n.dir, plugin)); err != nil {
				n.t.Fatal(err)
			}
		}},
		{name: "not executable", code: "D03", side: onNode, words: "not executable", breakIt: func(n *node) { n.install(pluginName, 0o644) }},
		{name: "written by all", code: "D03", side: onNode, words: "can be written by users", breakIt: func(n *node) { n.install(pluginName, 0o777) }},
		{name: "another architecture", code: "D03", side: onNode, words: "a program for AARCH64, and this node is amd64", breakIt: func(n *node) {
			n.write(plugin, armProgram+strings.Repeat("\x00", 40))
		}},
		{name: "another version", code: "D03", result: diagnosis.Warning, words: "is version v1.0.0, and this program is v1.2.3 (", breakIt: func(n *node) { n.pluginVersion = "v1.0.0" }},
		{name: "another commit", code: "D03", result: diagnosis.Warning, words: "is version v1.2.3 (commit abc of today, go1), and this", breakIt: func(n *node) { n.pluginVersion = "v1.2.3 (commit abc of today, go1)" }},
		{name: "no pattern", code: "D04", side: onNode, words: "pulls without credentials", breakIt: func(n *node) { n.provide("*.dkr.ecr.*.amazonaws.com", "*.dkr.ecr.*.amazonaws.com.cn") }},
		{name: "the stock provider's pattern only", code: "D04", side: onNode, words: "the kubelet asks ecr-credential-provider only", breakIt: func(n *node) {
			n.provide("*.dkr.ecr.*.amazonaws.com", "public.ecr.aws")
			n.providers += stock
		}},
		{name: "a missing account", code: "D04", side: onNode, words: fakeaws.FirstAccount + ".dkr.ecr.us-east-1.amazonaws.com", breakIt: func(n *node) {
			n.provide("*.dkr.ecr.*.amazonaws.com", fakeaws.SecondAccount+".dkr.ecr.*.amazonaws.com")
			n.images = nil
		}},
		{name: "a missing form", code: "D04", result: diagnosis.Warning, words: "dkr.ecr-fips", breakIt: func(n *node) { n.images = nil }},
		{name: "behind the stock provider", code: "D04", result: diagnosis.Warning, words: "tries those credentials before", breakIt: func(n *node) {
			n.providers = providersHead + stock + entry
		}},
		{name: "behind the stock provider by name", code: "D04", result: diagnosis.Warning, words: "kubelets before 1.33 use the order of the providers' names", breakIt: func(n *node) {
			n.version = "Kubernetes v1.32.1"
			n.providers += stock
		}},
		{name: "no tokens", code: "D05", side: onNode, words: "no provider of this plugin has tokenAttributes", breakIt: func(n *node) {
			n.asPod(pullRole)
			n.providers = providersHead + entry
		}, also: []string{"D19"}},
		{name: "the annotation is not passed to the plugin", code: "D05", side: onNode, words: "does not pass on the annotation eks.amazonaws.com/ecr-role-arn", breakIt: func(n *node) {
			n.asPod(pullRole)
			n.provide("[eks.amazonaws.com/ecr-role-arn]", "[]")
		}, also: []string{"D19"}},
		{name: "changed since", code: "D07", side: onNode, words: "restart the kubelet", breakIt: func(n *node) { n.started = time.Now().Add(-time.Hour) }},
		{name: "a directory changed since the start", code: "D07", side: onNode, words: "/etc/kubelet was changed at", breakIt: func(n *node) {
			n.flags[0] = "--image-credential-provider-config=/etc/kubelet"
			n.started = time.Now().Add(-time.Minute)
		}},
		{name: "a new plugin in the directory of the configuration", code: "D07", result: diagnosis.OK, words: "after their last change", breakIt: func(n *node) {
			n.flags = []string{"--image-credential-provider-config=/etc/kubelet", "--image-credential-provider-bin-dir=/etc/kubelet"}
			n.write("root/etc/kubelet/providers.yaml", n.providers)
			program := n.write("root/etc/kubelet/"+pluginName, "#!/bin/sh\n")
			later := n.started.Add(time.Hour)
			if err := errors.Join(os.Chmod(program, 0o755), os.Chtimes(filepath.Dir(program), later, later)); err != nil {
				n.t.Fatal(err)
			}
		}},
	}
}

const hub = "https://" + firstHost + "/v2/docker-hub"

// goodHosts leads containerd to the mirror.
const goodHosts = "server = \"" + hub + "\"\noverride_path = true\n[host.\"" + hub + "\"]\n  capabilities = [\"pull\", \"resolve\"]\n  override_path = true\n"

// mirror makes the first account's registry a mirror of Docker Hub. Containerd has the
// hosts.toml, unless that is empty.
func mirror(hosts string) func(*node) {
	return func(n *node) {
		n.config += "mirrors:\n- {host: docker.io, registry: " + firstHost + "/docker-hub}\n"
		n.provide(`"*.dkr`, `docker.io, "*.dkr`)
		if hosts != "" {
			n.write("root/etc/containerd/certs.d/docker.io/hosts.toml", hosts)
		}
	}
}

func brokenMirrors() []broken {
	onNode := diagnosis.Node
	return []broken{
		{name: "no hosts.toml", code: "D06", side: onNode, words: "offers the token to docker.io itself", breakIt: mirror("")},
		{name: "no server", code: "D06", side: onNode, words: "offer the token to docker.io", breakIt: mirror(goodHosts[strings.Index(goodHosts, "[host"):])},
		{name: "a fallback", code: "D06", side: onNode, words: "offer the token to https://registry-1.docker.io", breakIt: mirror(goodHosts + "[host.\"https://registry-1.docker.io\"]\n")},
		{name: "not TOML", code: "D06", side: onNode, words: "hosts.toml: toml:", breakIt: mirror("server: x")},
		{name: "no override_path", code: "D06", side: onNode, words: "does not lead to", breakIt: mirror(strings.ReplaceAll(goodHosts, "override_path = true", ""))},
		{name: "no pattern", code: "D06", side: onNode, words: "add docker.io to matchImages", breakIt: func(n *node) {
			mirror(goodHosts)(n)
			n.provide("docker.io, ", "")
		}},
		{name: "containerd reads no hosts.toml", code: "D06", side: onNode, words: "has no config_path for registries", breakIt: func(n *node) {
			mirror(goodHosts)(n)
			n.write("root/etc/containerd/config.toml", "version = 2\n[plugins.\"io.containerd.grpc.v1.cri\".registry]\nconfig_path = \"\"\n")
		}},
		{name: "containerd 1 by default", code: "D06", side: onNode, words: "has no config_path for registries", breakIt: func(n *node) {
			mirror(goodHosts)(n)
			n.write("root/etc/containerd/config.toml", "version = 2\n")
		}},
		{name: "containerd 2 by default", code: "D06", result: diagnosis.OK, words: "leads to " + firstHost + " only", breakIt: func(n *node) {
			mirror(goodHosts)(n)
			n.write("root/etc/containerd/config.toml", "version = 3\n[plugins.\"io.containerd.cri.v1.runtime\".other]\nconfig_path = \"\"\n")
		}},
		{name: "for all hosts", code: "D06", result: diagnosis.OK, words: "_default/hosts.toml leads to " + firstHost + " only", breakIt: func(n *node) {
			mirror("")(n)
			n.write("root/etc/containerd/certs.d/_default/hosts.toml", goodHosts)
		}},
		{name: "for all hosts, with a fallback", code: "D06", side: onNode, words: "_default/hosts.toml lets containerd offer the token to https://registry-1.docker.io", breakIt: func(n *node) {
			mirror("")(n)
			n.write("root/etc/containerd/certs.d/_default/hosts.toml", goodHosts+"[host.\"https://registry-1.docker.io\"]\n")
		}},
		{name: "a directory of its own without hosts.toml", code: "D06", side: onNode, words: "docker.io/hosts.toml does not exist", breakIt: func(n *node) {
			mirror("")(n)
			n.write("root/etc/containerd/certs.d/_default/hosts.toml", goodHosts)
			n.write("root/etc/containerd/certs.d/docker.io/ca.crt", "")
		}},
		{name: "none", code: "D06", result: diagnosis.OK, words: "leads to " + firstHost + " only", breakIt: mirror(goodHosts)},
	}
}
