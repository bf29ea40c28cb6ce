package main

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"path/filepath"

	"ecr-cross-account-credential-provider/test/fakeaws"
)

const (
	apiServerDir = nodeDir + "/apiserver"
	apiServerURL = "https://" + nodeAddress + ":6443"
	etcdURL      = "http://127.0.0.1:2379"
	// tokenIssuer is the issuer under which AWS knows the cluster.
	tokenIssuer = "https://oidc.eks.eu-west-1.amazonaws.com/id/EXAMPLED539D4633E53DE1B71EXAMPLE"
	// These are the tokens of the API server's users, the test and the kubelet.
	adminToken, nodeToken = "admin-of-this-node", "kubelet-of-this-node"

	kubeconfigPath = "/etc/kubernetes/kubeconfig"
)

// users has the groups of each user. RBAC allows the first user everything. The node
// authorizer lets the second user access objects of the pods on its node.
const users = adminToken + `,admin,1,"system:masters"
` + nodeToken + `,system:node:` + nodeName + `,2,"system:nodes"
`

// kubeconfigOf returns a kubeconfig for the user with a token.
func kubeconfigOf(token string) string {
	return `apiVersion: v1
kind: Config
clusters: [{name: here, cluster: {server: "` + apiServerURL + `", certificate-authority: ` + apiServerDir + `/apiserver.crt}}]
users: [{name: me, user: {token: ` + token + `}}]
contexts: [{name: here, context: {cluster: here, user: me}}]
current-context: here
`
}

// apiServer is a kube-apiserver with its etcd. The control plane has no other parts:
// pods name their node, and no case needs controllers.
type apiServer struct{ process *process }

// startAPIServer starts etcd and kube-apiserver, and waits until they are ready. AWS
// trusts the tokens that the API server signs.
func startAPIServer(ctx context.Context, world *fakeaws.World) (*apiServer, error) {
	if _, err := start("etcd", filepath.Join(binDir, "etcd"), "-dir="+nodeDir+"/etcd", "-client="+etcdURL); err != nil {
		return nil, err
	}
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return nil, err
	}
	world.TrustIssuer(fakeaws.IssuerFromKey(tokenIssuer, key))
	block := pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key)}
	for path, text := range map[string]string{
		apiServerDir + "/tokens.pem": string(pem.EncodeToMemory(&block)),
		apiServerDir + "/users.csv":  users,
		kubeconfigPath:               kubeconfigOf(nodeToken),
	} {
		if err := writeFile(path, text, 0o600); err != nil {
			return nil, err
		}
	}
	a := &apiServer{}
	if a.process, err = launchAPIServer(); err != nil {
		return nil, err
	}
	return a, poll(ctx, "the API server is ready", func() error {
		return a.process.orEnded(a.get(ctx, "/readyz", nil))
	})
}

func launchAPIServer() (*process, error) {
	return start("kube-apiserver", filepath.Join(binDir, "kube-apiserver"),
		"--etcd-servers="+etcdURL,
		"--bind-address="+nodeAddress, "--advertise-address="+nodeAddress, // without these flags, it needs a default route
		"--cert-dir="+apiServerDir,
		"--service-account-issuer="+tokenIssuer,
		"--service-account-key-file="+apiServerDir+"/tokens.pem",
		"--service-account-signing-key-file="+apiServerDir+"/tokens.pem",
		"--token-auth-file="+apiServerDir+"/users.csv",
		"--authorization-mode=Node,RBAC",
		"--enable-admission-plugins=NodeRestriction",
		"--service-cluster-ip-range=10.96.0.0/16",
		"--endpoint-reconciler-type=none",
	)
}
