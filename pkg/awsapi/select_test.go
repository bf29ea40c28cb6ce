package awsapi

import (
	"os"
	"slices"
	"strings"
	"testing"

	"ecr-cross-account-credential-provider/pkg/registry"
)

// TestSource: the source holds everything that selects the node's identity or an
// endpoint, and nothing else.
func TestSource(t *testing.T) {
	t.Parallel()
	home := t.TempDir()
	environ := []string{"HOME=" + home, "PATH=/bin", "AWS_REGION=eu-west-1"}
	source := func(environ []string, o Options) string {
		t.Helper()
		parts, err := Source(environ, o)
		if err != nil {
			t.Fatal(err)
		}
		return strings.Join(parts, "\x00")
	}
	base := source(environ, Options{})
	for _, v := range []string{
		"AWS_PROFILE=x", "AWS_ACCESS_KEY_ID=x", "AWS_WEB_IDENTITY_TOKEN_FILE=x", "AWS_CONTAINER_CREDENTIALS_FULL_URI=x", "AWS_CONTAINER_AUTHORIZATION_TOKEN=x",
		"AWS_EC2_METADATA_SERVICE_ENDPOINT=x", "AWS_ENDPOINT_URL=x", "AWS_CONFIG_FILE=/nope", "USERPROFILE=x",
	} {
		if source(append(slices.Clone(environ), v), Options{}) == base {
			t.Errorf("got the same source with %s, want another", v)
		}
	}
	endpoint := map[registry.Region]string{testRegion(): "https://x.example"}
	for name, o := range map[string]Options{
		"profile": {Profile: "x"}, "configFile": {ConfigFile: "/nope"}, "ECR": {ECREndpoints: endpoint}, "STS": {STSEndpoints: endpoint},
	} {
		if source(environ, o) == base {
			t.Errorf("got the same source with another %s, want another source", name)
		}
	}
	if source([]string{"AWS_REGION=eu-west-1", "PATH=/sbin", "HOME=" + home}, Options{}) != base {
		t.Error("got another source for another order or PATH, want the same")
	}
	must := func(err error) {
		if err != nil {
			t.Fatal(err)
		}
	}
	must(os.Mkdir(home+"/.aws", 0o700))
	must(os.WriteFile(home+"/.aws/config", []byte("[profile x]\n"), 0o600))
	if source(environ, Options{}) == base {
		t.Error("got the same source with another configuration file, want another source")
	}
	for _, name := range []string{"config", "credentials"} {
		must(os.WriteFile(home+"/.aws/"+name, []byte(strings.Repeat("#", maxFile+1)), 0o600))
		if _, err := Source(environ, Options{}); err == nil || !strings.Contains(err.Error(), "/.aws/"+name+" is larger than 1048576 bytes") {
			t.Errorf("got %v, want %s to be too large", err, name)
		}
		must(os.Remove(home + "/.aws/" + name))
	}
	for _, name := range []string{"AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"} {
		if _, err := Source(append(slices.Clone(environ), name+"="+home), Options{}); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("got %v, want an error about %s", err, name)
		}
	}
}

// TestSourceFiles: the source holds the content of each file that the SDK reads,
// except for secrets, rotated keys and comments.
func TestSourceFiles(t *testing.T) {
	t.Parallel()
	const base = "[default]\naws_access_key_id = ASIAEXAMPLE1\naws_secret_access_key = SECRET\naws_session_token = SECRET\n"
	const static = "[default]\naws_access_key_id = AKIAEXAMPLE1\naws_secret_access_key = SECRET\n"
	tests := []struct {
		name, before, after string
		same                bool
	}{
		{"rotation", base, strings.NewReplacer("EXAMPLE1", "EXAMPLE2", "SECRET", "SECRET2").Replace(base), true},
		{"rotation, as tools write it", base, "[default]\nAWS_Access_Key_ID:ASIAEXAMPLE2\naws_secret_access_key=SECRET=\n aws_session_token\t: SECRET\n", true},
		{"rotation over two lines", base, base + "  SECRET\n", true},
		{"rotation, quoted", base, strings.ReplaceAll(base, "ASIAEXAMPLE1", `"ASIAEXAMPLE2"`), true},
		{"a comment", base, "# aws_secret_access_key was SECRET\n\n ; SECRET\n" + base, true},
		{"new secret of a long-lived key", static, strings.ReplaceAll(static, "SECRET", "SECRET2"), true},
		{"another long-lived key", static, strings.ReplaceAll(static, "EXAMPLE1", "EXAMPLE2"), false},
		{"another long-lived key, quoted", strings.ReplaceAll(static, "AKIAEXAMPLE1", "'AKIAEXAMPLE1'"), strings.ReplaceAll(static, "AKIAEXAMPLE1", "'AKIAEXAMPLE2'"), false},
		{"no keys", base, "[default]\n", false},
		{"role_arn", base, base + "role_arn = x\n", false},
		{"indented role_arn", base, base + "  role_arn = x\n", false},
		{"credential_process", base, base + "credential_process: x\n", false},
		{"region", base, base + "region=x\n", false},
		{"another profile", base, base + "[x]\n", false},
	}
	for _, test := range tests {
		for _, variable := range []string{"AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE", nodeConfigFile} {
			t.Run(test.name+" in "+variable, func(t *testing.T) {
				t.Parallel()
				path := write(t, "file", "")
				source := func(content string) string {
					if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
						t.Fatal(err)
					}
					environ, o := []string{"HOME=/nonexistent", variable + "=" + path}, Options{}
					if variable == nodeConfigFile {
						o.ConfigFile = path
					}
					parts, err := Source(environ, o)
					if err != nil {
						t.Fatal(err)
					}
					return strings.Join(parts, "\x00")
				}
				before, after := source(test.before), source(test.after)
				if (before == after) != test.same {
					t.Errorf("got equal sources: %t, want %t\n%s\n%s", before == after, test.same, before, after)
				}
				if strings.Contains(before+after, "SECRET") {
					t.Errorf("got a secret in\n%s\n%s", before, after)
				}
			})
		}
	}
}
