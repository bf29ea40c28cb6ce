package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"syscall"
	"time"

	corev1 "k8s.io/api/core/v1"

	"ecr-cross-account-credential-provider/test/fakeaws"
)

// pullSecretCases have a node without the plugin. ecr-pull-secrets, which runs in
// clusters, is a process here. The case sets its clock.
var pullSecretCases = []Case{{
	ID: "18", Name: "a pull Secret, on a node without the plugin", Setup: Setup{APIServer: true, NoPlugin: true}, Run: byPullSecret,
}}

const (
	pullSecretsConfig     = "/etc/kubernetes/pull-secrets.yaml"
	pullSecretsKubeconfig = "/etc/kubernetes/pull-secrets.kubeconfig"
	team                  = "shop"
)

// teamObjects are a namespace that requests a Secret, and a service account that requests
// the Secret's name in its imagePullSecrets.
const teamObjects = `apiVersion: v1
kind: Namespace
metadata: {name: ` + team + `, labels: {ecr-pull-secrets/enabled: "true"}}
---
apiVersion: v1
kind: ServiceAccount
metadata: {name: app, namespace: ` + team + `, annotations: {ecr-pull-secrets/attach: "true"}}
`

// byPullSecret: pods can pull at once, after an hour, and after twelve hours, when the
// first token has expired.
func byPullSecret(ctx context.Context, n *Node) error {
	var controller *process
	image := func(name string) string { return firstRegistry + "/team-a/" + name + ":1" }
	pulls := func(name string) func() error {
		return func() error {
			pod := team + "/" + name
			return steps(
				func() error { return n.PodOf(ctx, pod, "app", image(name)) },
				func() error { return n.Ready(ctx, pod) },
				func() error { return n.PulledBy(image(name), firstSession) },
			)
		}
	}
	return steps(
		func() error { return n.StartKubelet(ctx) },
		func() error { return n.api.apply(ctx, teamObjects) },
		func() (err error) {
			controller, err = n.startPullSecrets()
			return err
		},
		func() error { return n.attached(ctx, controller) },
		pulls("at-once"),
		func() error { return n.hours(ctx, controller, 1) },
		pulls("after-1-hour"),
		func() error { return n.hours(ctx, controller, 11) },
		pulls("after-12-hours"),
	)
}

// startPullSecrets starts ecr-pull-secrets. It finds AWS in the same way as a pod on an
// EC2 instance.
func (n *Node) startPullSecrets() (*process, error) {
	config := configHead + `registries:
- accounts: ["` + fakeaws.FirstAccount + `"]
  regions: [` + region + `]
  assumeRoles: [{arn: "` + firstRole + `"}]
`
	err := errors.Join(
		writeFile(pullSecretsConfig, config, 0o644),
		writeFile(pullSecretsKubeconfig, kubeconfigOf(adminToken), 0o600),
	)
	if err != nil {
		return nil, err
	}
	return start("ecr-pull-secrets", filepath.Join(binDir, "pull-secrets-clock"),
		"--config="+pullSecretsConfig, "--kubeconfig="+pullSecretsKubeconfig, "--leader-elect=false", "--listen=127.0.0.1:8080")
}

// attached waits until the service account names the Secret. A pod gets the Secret only
// when the pod is created.
func (n *Node) attached(ctx context.Context, controller *process) error {
	return poll(ctx, "the service account has the pull Secret", func() error {
		var account corev1.ServiceAccount
		err := n.api.get(ctx, "/api/v1/namespaces/"+team+"/serviceaccounts/app", &account)
		if err == nil && len(account.ImagePullSecrets) == 0 {
			err = errors.New("it has no pull Secret")
		}
		if err == nil {
			_, err = n.pullSecret(ctx)
		}
		return controller.orEnded(err)
	})
}

// pullSecret returns the expiry of the team's Secret.
func (n *Node) pullSecret(ctx context.Context) (string, error) {
	var secret corev1.Secret
	err := n.api.get(ctx, "/api/v1/namespaces/"+team+"/secrets/ecr-pull-secrets", &secret)
	return secret.Annotations["ecr-pull-secrets/expires-at"], err
}

// hours lets hours pass for AWS and for ecr-pull-secrets. In each hour ecr-pull-secrets
// must renew the Secret.
func (n *Node) hours(ctx context.Context, controller *process, hours int) error {
	for range hours {
		before, err := n.pullSecret(ctx)
		if err != nil {
			return err
		}
		n.AWS.World.Pass(time.Hour)
		if err := controller.cmd.Process.Signal(syscall.SIGUSR1); err != nil {
			return err
		}
		err = poll(ctx, "the Secret is renewed", func() error {
			now, err := n.pullSecret(ctx)
			if err == nil && now <= before {
				err = fmt.Errorf("it expires at %s", now)
			}
			return controller.orEnded(err)
		})
		if err != nil {
			return err
		}
	}
	return nil
}
