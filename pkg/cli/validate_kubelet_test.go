package cli

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// kubeletFile is a CredentialProviderConfig with one provider.
func kubeletFile(t *testing.T, name, matchImages string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "providers.yaml")
	text := "apiVersion: kubelet.config.k8s.io/v1\nkind: CredentialProviderConfig\nproviders:\n- name: " + name +
		"\n  apiVersion: credentialprovider.kubelet.k8s.io/v1\n  defaultCacheDuration: 0s\n  matchImages: [" + matchImages + "]\n"
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// TestValidateKubelet: a mistake that stops the kubelet is a problem. If the
// kubelet does not ask the plugin for an account, that is a warning.
func TestValidateKubelet(t *testing.T) {
	t.Parallel()
	const ours, stock = `"444455556666.dkr.ecr.*.amazonaws.com"`, `"*.dkr.ecr.*.amazonaws.com"`
	bin := t.TempDir()
	for name, mode := range map[string]os.FileMode{Name: 0o700, "ecr-credential-provider": 0o600} {
		if err := os.WriteFile(filepath.Join(bin, name), nil, mode); err != nil {
			t.Fatal(err)
		}
	}
	for name, test := range map[string]struct {
		file           string
		args           []string
		status         int
		stdout, stderr string // parts of the output; if empty, there is none
	}{
		"good":                    {kubeletFile(t, Name, ours), []string{"--bin-dir", bin}, 0, "ok\n", ""},
		"by another name":         {kubeletFile(t, "aws-"+Name, ours), nil, 0, "ok\n", ""},
		"by the stock one's name": {kubeletFile(t, "ecr-credential-provider", stock), nil, 0, "ok\n", ""},
		"not executable":          {kubeletFile(t, "ecr-credential-provider", stock), []string{"--bin-dir", bin}, 3, "ecr-credential-provider is not executable; run: chmod 0755", ""},
		"no program":              {kubeletFile(t, "absent", stock), []string{"--bin-dir", bin}, 3, "provider absent: stat ", ""},
		"an unknown field":        {kubeletFile(t, Name, ours+"]\n  matchImage: [x"), nil, 3, "matchImage", ""},
		"no pattern":              {kubeletFile(t, Name, ""), nil, 3, "providers[0]: matchImages: at least 1 item is required", ""},
		"another account": {
			kubeletFile(t, Name, `"777788889999.dkr.ecr.*.amazonaws.com"`), nil, 0, "ok\n",
			"registries[0]: the kubelet does not ask for images of account 444455556666: add its hosts to matchImages in ",
		},
		"a directory":                      {t.TempDir(), nil, 3, "has no file *.json, *.yaml or *.yml", ""},
		"a directory for an older kubelet": {t.TempDir(), []string{"--kubelet-version", "v1.33.1"}, 3, "is a directory, which needs kubelet 1.34 or later, and this kubelet is 1.33", ""},
		"no file":                          {"/nonexistent", nil, 3, "/nonexistent: ", ""},
		"no version":                       {"/nonexistent", []string{"--kubelet-version", "new"}, 2, "", `no version of Kubernetes such as v1.34.4 in "new"`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			args := append([]string{"validate", writeConfig(t, goodEntry), "--kubelet-config", test.file}, test.args...)
			got := runMain(t, nil, args...)
			if got.status != test.status || !has(got.stdout, test.stdout) || !has(got.stderr, test.stderr) {
				t.Errorf("got %+v; want status %d, stdout %q, stderr %q", got, test.status, test.stdout, test.stderr)
			}
		})
	}
	if got := runMain(t, nil, "validate", writeConfig(t, goodEntry), "--bin-dir", bin); got.status != 2 || !strings.Contains(got.stderr, "need --kubelet-config PATH") {
		t.Errorf("got %+v; want a usage error", got)
	}
}

// has reports whether s contains a part. If the part is empty, s must be empty
// too.
func has(s, part string) bool { return strings.Contains(s, part) && (part != "" || s == "") }
