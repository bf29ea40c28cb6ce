package test

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
	"time"

	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
)

const etcdURL = "http://127.0.0.1:2379"

// startEtcd starts the store that all clusters use.
func startEtcd(ctx context.Context, dir string) error {
	p, err := start(ctx, filepath.Join(dir, "etcd.log"), filepath.Join(bin, "etcd"), "-dir="+filepath.Join(dir, "etcd"), "-client="+etcdURL)
	if err != nil {
		return err
	}
	return poll(ctx, "etcd serves", func() error {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, etcdURL+"/health", nil)
		if err != nil {
			return err
		}
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			return p.orEnded(err)
		}
		return resp.Body.Close()
	})
}

// cluster is a kube-apiserver. It has no other part of a control plane.
type cluster struct {
	dir, address string
	serverName   string // the name in the certificate, if it is not the address
	etcdPrefix   string
	server       *program
	admin        *rest.Config
	kube         kubernetes.Interface
}

// clusters are the clusters of this run.
var clusters struct {
	sync.Mutex
	dir    string
	n      int
	shared *cluster
}

const adminToken = "admin-of-this-cluster"

// sharedCluster returns the cluster for tests that do not harm it.
func sharedCluster(t *testing.T) *cluster {
	t.Helper()
	clusters.Lock()
	defer clusters.Unlock()
	if clusters.shared == nil {
		c, err := newCluster(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		clusters.shared = c
	}
	return clusters.shared
}

// ownCluster returns a cluster that no other test uses.
func ownCluster(t *testing.T) *cluster {
	t.Helper()
	clusters.Lock()
	c, err := newCluster(t.Context())
	clusters.Unlock()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.stop(t) })
	return c
}

func newCluster(ctx context.Context) (*cluster, error) {
	clusters.n++
	c := &cluster{
		dir: filepath.Join(clusters.dir, fmt.Sprint("cluster-", clusters.n)), address: fmt.Sprint("127.0.1.", clusters.n),
		etcdPrefix: fmt.Sprint("/cluster-", clusters.n),
	}
	if err := os.MkdirAll(c.dir, 0o700); err != nil {
		return nil, err
	}
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return nil, err
	}
	block := pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key)}
	err = errors.Join(
		os.WriteFile(c.file("tokens.pem"), pem.EncodeToMemory(&block), 0o600),
		os.WriteFile(c.file("users.csv"), []byte(adminToken+`,admin,1,"system:masters"`+"\n"), 0o600),
	)
	if err != nil {
		return nil, err
	}
	return c, c.start(context.WithoutCancel(ctx))
}

func (c *cluster) file(name string) string { return filepath.Join(c.dir, name) }

// start starts the API server, and waits until it is ready.
func (c *cluster) start(ctx context.Context) (err error) {
	c.server, err = start(ctx, c.file("kube-apiserver.log"), filepath.Join(bin, "kube-apiserver"),
		"--etcd-servers="+etcdURL, "--etcd-prefix="+c.etcdPrefix,
		"--bind-address="+c.address, "--advertise-address="+c.address,
		"--cert-dir="+c.dir,
		"--service-account-issuer=https://cluster.example.com",
		"--service-account-key-file="+c.file("tokens.pem"), "--service-account-signing-key-file="+c.file("tokens.pem"),
		"--token-auth-file="+c.file("users.csv"),
		"--authorization-mode=RBAC",
		"--service-cluster-ip-range=10.96.0.0/16",
		"--endpoint-reconciler-type=none",
	)
	if err != nil {
		return err
	}
	return poll(ctx, "the API server is ready", func() error { return c.server.orEnded(c.ready(ctx)) })
}

func (c *cluster) ready(ctx context.Context) error {
	if _, err := os.Stat(c.file("apiserver.crt")); err != nil {
		return err
	}
	c.admin = &rest.Config{
		Host: "https://" + c.address + ":6443", BearerToken: adminToken, QPS: 1000, Burst: 2000,
		TLSClientConfig: rest.TLSClientConfig{CAFile: c.file("apiserver.crt")},
	}
	var err error
	if c.kube, err = kubernetes.NewForConfig(c.admin); err != nil {
		return err
	}
	return c.kube.CoreV1().RESTClient().Get().AbsPath("/readyz").Do(ctx).Error()
}

// stop ends the API server as an operator does.
func (c *cluster) stop(t *testing.T) {
	t.Helper()
	if err := c.server.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Error(err)
	}
	<-c.server.ended
}

// kubeconfig writes a kubeconfig for a user's token and returns its path.
func (c *cluster) kubeconfig(t *testing.T, token, namespace string) string {
	t.Helper()
	if c.serverName != "" {
		return writeKubeconfig(t, "https://"+c.address, c.serverName, c.file("apiserver.crt"), token, namespace)
	}
	return writeKubeconfig(t, "https://"+c.address+":6443", "", c.file("apiserver.crt"), token, namespace)
}

// writeKubeconfig writes a kubeconfig. name is the one in the server's certificate, if
// it differs from the URL's host.
func writeKubeconfig(t *testing.T, url, name, ca, token, namespace string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "kubeconfig")
	text := fmt.Sprintf(`apiVersion: v1
kind: Config
clusters: [{name: here, cluster: {server: %q, tls-server-name: %q, certificate-authority: %q}}]
users: [{name: me, user: {token: %q}}]
contexts: [{name: here, context: {cluster: here, user: me, namespace: %q}}]
current-context: here
`, url, name, ca, token, namespace)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// program is a running program whose output is in a file.
type program struct {
	name  string
	cmd   *exec.Cmd
	log   string
	ended chan struct{} // closed when it has ended
}

func start(ctx context.Context, log, path string, args ...string) (*program, error) {
	return startWith(ctx, os.Environ(), log, path, args...)
}

func startWith(ctx context.Context, environ []string, log, path string, args ...string) (*program, error) {
	out, err := os.OpenFile(log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	defer out.Close() //nolint:errcheck // the program has its own copy
	p := &program{name: filepath.Base(path), cmd: exec.CommandContext(ctx, path, args...), log: log, ended: make(chan struct{})}
	p.cmd.Stdout, p.cmd.Stderr, p.cmd.Env = out, out, environ
	if err := p.cmd.Start(); err != nil {
		return nil, err
	}
	go func() {
		_ = p.cmd.Wait()
		close(p.ended)
	}()
	return p, nil
}

var errEnded = errors.New("it has ended")

// orEnded returns err. If the program has ended, the error says so.
func (p *program) orEnded(err error) error {
	select {
	case <-p.ended:
		if err != nil {
			text, _ := os.ReadFile(p.log)
			return fmt.Errorf("%s: %w: %s\n%s", p.name, errEnded, p.cmd.ProcessState, text[max(0, len(text)-2000):])
		}
	default:
	}
	return err
}

// limit ends a test that hangs.
const limit = 3 * time.Minute

// poll waits until a condition holds. If it does not hold in the end, the condition's
// last error is the reason.
func poll(ctx context.Context, what string, condition func() error) error {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	ticker := time.NewTicker(20 * time.Millisecond)
	defer ticker.Stop()
	for {
		err := condition()
		if err == nil || errors.Is(err, errEnded) {
			return err
		}
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return fmt.Errorf("waiting until %s: %w: %w", what, context.Cause(ctx), err)
		}
	}
}

// eventually waits until a condition holds.
func eventually(t *testing.T, what string, condition func() error) {
	t.Helper()
	if err := poll(t.Context(), what, condition); err != nil {
		t.Fatal(err)
	}
}
