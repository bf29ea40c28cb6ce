package test

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"ecr-cross-account-credential-provider/test/fakeaws"
)

// page is the program's page.
const page = "../../../config-examples/pull-secrets/README.md"

// stubs replace the commands that build and push the image: make image and skopeo.
// Helm only renders, and kubectl does the rest of its work.
const stubs = `set -eu
make() { test "$*" = image; }
skopeo() { test "$1" = copy; }
helm() {
  kubectl create namespace ecr-pull-secrets
  command helm "$@" | kubectl apply -f -
}
`

// TestPage follows the page from top to bottom. It writes the configuration, runs the
// commands, and creates the pod. A controller with the rights of the chart gives the
// namespace its Secret. It also adds the Secret's name to the service account.
func TestPage(t *testing.T) {
	t.Parallel()
	c, w := sharedCluster(t), newWorld(t)
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	pod, config := block(t, text, "kind: Pod"), block(t, text, "kind: CrossAccountConfig")
	dir := t.TempDir()
	root, err := filepath.Abs("../../..")
	if err == nil {
		err = errors.Join(os.WriteFile(filepath.Join(dir, "config.yaml"), []byte(config), 0o600), os.Symlink(filepath.Join(root, "cmd"), filepath.Join(dir, "cmd")))
	}
	if err != nil {
		t.Fatal(err)
	}
	run := func(commands string) {
		t.Helper()
		cmd := exec.CommandContext(t.Context(), "bash", "-c", stubs+commands)
		cmd.Dir = dir
		cmd.Env = append(os.Environ(), "PATH="+filepath.Join(root, "bin")+":"+os.Getenv("PATH"), "HOME="+t.TempDir(), "KUBECONFIG="+c.kubeconfig(t, adminToken, "default"))
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%s\n%v\n%s", commands, err, out)
		}
	}
	c.namespace(t, "shop", "")
	account := &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Name: "default"}}
	if _, err := c.kube.CoreV1().ServiceAccounts("shop").Create(t.Context(), account, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	run(block(t, text, "helm install"))
	run(regexp.MustCompile(`(?m)^    (kubectl annotate .*)$`).FindStringSubmatch(string(text))[1])
	const name = "ecr-pull-secrets"
	deployment, err := c.kube.AppsV1().Deployments(name).Get(t.Context(), name, metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	kubeconfig := c.kubeconfig(t, c.token(t, name, name), name)
	var args []string
	for _, arg := range deployment.Spec.Template.Spec.Containers[0].Args {
		switch {
		case strings.HasPrefix(arg, "--config="):
			_, entries, _ := strings.Cut(config, "registries:\n")
			arg = "--config=" + w.config(t, entries)
		case strings.HasPrefix(arg, "--listen="):
			arg = "--listen=127.0.0.1:0"
		}
		args = append(args, arg)
	}
	w.run(t, append(args, "--kubeconfig="+kubeconfig)...)
	c.has(t, "shop", name, func(s *corev1.Secret) error {
		grants, err := w.grants(s)
		if err == nil && (len(grants) != 2 || grants[hostOf(fakeaws.FirstAccount)] == "" || grants[hostOf(fakeaws.SecondAccount)] == "") {
			err = fmt.Errorf("got tokens of %v, want one of each registry", grants)
		}
		return err
	})
	eventually(t, "the service account has the Secret", func() error {
		account, err := c.kube.CoreV1().ServiceAccounts("shop").Get(t.Context(), "default", metav1.GetOptions{})
		if err == nil && (len(account.ImagePullSecrets) != 1 || account.ImagePullSecrets[0].Name != name) {
			err = fmt.Errorf("got %v, want %s", account.ImagePullSecrets, name)
		}
		return err
	})
	c.apply(t, objects(t, pod))
}

// block returns the block of a page that contains a text.
func block(t *testing.T, page []byte, has string) string {
	t.Helper()
	for _, b := range regexp.MustCompile("(?ms)^```[a-z]+\n(.*?)^```$").FindAllStringSubmatch(string(page), -1) {
		if strings.Contains(b[1], has) {
			return b[1]
		}
	}
	t.Fatalf("got no block with %q, want one", has)
	return ""
}
