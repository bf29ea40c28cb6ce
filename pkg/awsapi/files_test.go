package awsapi

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// write writes a file in a directory of the test, and returns its path.
func write(t *testing.T, name, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// TestAbsentFiles: a missing file is an error only where the SDK needs it.
func TestAbsentFiles(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		env  []string
		want string
	}{
		"the SDK's own": {append(slices.Clone(staticKeys), "AWS_CONFIG_FILE=/nope", "AWS_SHARED_CREDENTIALS_FILE=/nope"), "ok, from EnvConfigCredentials"},
		"CA bundle": {
			append(slices.Clone(staticKeys), "AWS_CA_BUNDLE=/nope.pem"),
			"AWS_CA_BUNDLE names /nope.pem, which does not exist; write the certificates of the CAs there, or remove the variable from the provider's env",
		},
		"web identity": {
			[]string{"AWS_WEB_IDENTITY_TOKEN_FILE=/nope", "AWS_ROLE_ARN=arn:aws:iam::111122223333:role/node", "AWS_REGION=eu-west-1"},
			"unable to read file at /nope: open /nope: no such file or directory",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := inChild(t, "node", test.env); got != test.want {
				t.Errorf("got %s, want %s", got, test.want)
			}
		})
	}
}
