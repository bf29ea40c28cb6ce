package main

import (
	"context"
	"net"
)

// containerdConfig is Debian's default, except that a test's node may not change
// OOM scores or load AppArmor profiles. Registries are configured in the directory
// certs.d. It is empty except in cases of mirrors.
const containerdConfig = `version = 2
[plugins."io.containerd.internal.v1.opt"]
  path = "/var/lib/containerd/opt"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "` + sandboxImage + `"
  restrict_oom_score_adj = true
  disable_apparmor = true
[plugins."io.containerd.grpc.v1.cri".registry]
  config_path = "` + certsDir + `"
`

const (
	containerdSocket = "/run/containerd/containerd.sock"
	certsDir         = "/etc/containerd/certs.d"
	sandboxImage     = sandboxHost + "/pause:3.6"
)

func (n *Node) startContainerd(ctx context.Context) error {
	if err := writeFile("/etc/containerd/config.toml", containerdConfig, 0o644); err != nil {
		return err
	}
	p, err := start("containerd", "containerd")
	if err != nil {
		return err
	}
	return poll(ctx, "containerd answers", func() error {
		conn, err := (&net.Dialer{}).DialContext(ctx, "unix", containerdSocket)
		if err != nil {
			return p.orEnded(err)
		}
		return conn.Close()
	})
}
