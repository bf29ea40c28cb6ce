package release_test

import (
	"crypto/sha256"
	"debug/elf"
	"encoding/hex"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestKops does what kOps does with spec.cloudProvider.aws.binariesLocation. It fetches
// the file and its checksum, and verifies them. Then it runs the file under the stock
// plugin's name, as the kubelet does.
func TestKops(t *testing.T) {
	t.Parallel()
	r := get(t, first)
	server := httptest.NewServer(http.FileServer(http.Dir(r.dist)))
	t.Cleanup(server.Close)
	url := server.URL + "/linux/amd64/ecr-credential-provider-linux-amd64"
	program := fetch(t, url)
	sum := strings.Fields(string(fetch(t, url+".sha256")))
	if got := sha256.Sum256(program); len(sum) == 0 || sum[0] != hex.EncodeToString(got[:]) {
		t.Fatalf("got the sum %q, want %x", sum, got)
	}
	path := filepath.Join(t.TempDir(), "ecr-credential-provider")
	if err := os.WriteFile(path, program, 0o755); err != nil {
		t.Fatal(err)
	}
	r.wantVersion(t, path)
	cmd := exec.CommandContext(t.Context(), path, "get-credentials")
	cmd.Env = []string{"HOME=" + t.TempDir(), "ECR_CROSS_ACCOUNT_CONFIG=" + quietConfig(t)}
	cmd.Stdin = strings.NewReader(`{"apiVersion":"credentialprovider.kubelet.k8s.io/v1","kind":"CredentialProviderRequest","image":"registry.k8s.io/pause:3.10"}`)
	out, err := cmd.CombinedOutput()
	if err != nil || !strings.Contains(string(out), `"kind":"CredentialProviderResponse"`) {
		t.Errorf("got %s, error %v; want a response", out, err)
	}
}

// quietConfig writes a configuration with which the plugin writes nothing to this
// machine.
func quietConfig(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "config.yaml")
	const text = "apiVersion: ecr-cross-account-credential-provider/v1alpha1\nkind: CrossAccountConfig\nregistries: [{accounts: [\"444455556666\"]}]\n" +
		"cache: {directory: \"\"}\nlog: {destination: None}\n"
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func fetch(t *testing.T, url string) []byte {
	t.Helper()
	resp, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close() //nolint:errcheck // reading is complete
	content, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		t.Fatalf("%s: got %s, error %v; want 200", url, resp.Status, err)
	}
	return content
}

// wantStatic checks that a program needs no loader and no library.
func wantStatic(t *testing.T, path string) {
	t.Helper()
	f, err := elf.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close() //nolint:errcheck // reading is complete
	for _, p := range f.Progs {
		if p.Type == elf.PT_INTERP || p.Type == elf.PT_DYNAMIC {
			t.Errorf("%s: got a dynamic program, want a static one", path)
		}
	}
}
