//go:build unix

package awsapi

import (
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
)

func makeFIFO(t *testing.T, path string) {
	t.Helper()
	if err := syscall.Mkfifo(path, 0o600); err != nil {
		t.Fatal(err)
	}
}

// TestFiles: a file that the SDK would never finish reading is refused. The message
// names the file and the setting.
func TestFiles(t *testing.T) {
	t.Parallel()
	large := write(t, "large", strings.Repeat("#", maxFile+1))
	fifo := filepath.Join(t.TempDir(), "fifo")
	makeFIFO(t, fifo)
	for _, setting := range []string{
		"AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE", "AWS_WEB_IDENTITY_TOKEN_FILE",
		"AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", "AWS_CA_BUNDLE", "node.configFile",
	} {
		for file, want := range map[string]string{
			fifo:        fifo + " is not a regular file (p---------)",
			"/dev/zero": "/dev/zero is not a regular file (Dc---------)",
			large:       large + " is larger than 1048576 bytes",
		} {
			t.Run(setting+" "+filepath.Base(file), func(t *testing.T) {
				t.Parallel()
				env, args := append(slices.Clone(staticKeys), setting+"="+file), []string(nil)
				if setting == "node.configFile" {
					env, args = staticKeys, []string{file}
				}
				if got, want := inChild(t, "node", env, args...), "reading the file that "+setting+" names: "+want; got != want {
					t.Errorf("got %s, want %s", got, want)
				}
			})
		}
	}
	for _, key := range []string{"ca_bundle", "web_identity_token_file"} {
		for name, line := range map[string]string{
			"plain": key + " = " + fifo, "comment": key + " = " + fifo + " # comment", "upper case": strings.ToUpper(key) + " = " + fifo,
			"colon": key + " : " + fifo, "quoted": key + ` = "` + fifo + `"`, "indented": "\t" + key + " = " + fifo,
		} {
			for _, variable := range []string{"AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"} {
				t.Run(key+" of a profile in "+variable+", "+name, func(t *testing.T) {
					t.Parallel()
					file := write(t, "config", "[default]\nrole_arn = arn:aws:iam::111122223333:role/node\n"+line+"\n")
					want := "reading the file that " + key + " of profile default names: " + fifo + " is not a regular file (p---------)"
					if got := inChild(t, "hurriedNode", []string{variable + "=" + file}); got != want {
						t.Errorf("got %s, want %s", got, want)
					}
				})
			}
		}
	}
	t.Run("web_identity_token_file of a source profile", func(t *testing.T) {
		t.Parallel()
		file := write(t, "config", "[default]\nrole_arn = arn:aws:iam::111122223333:role/node\nsource_profile = web\n"+
			"[profile web]\nrole_arn = arn:aws:iam::111122223333:role/web\nweb_identity_token_file = "+fifo+"\n")
		want := "reading the file that web_identity_token_file of profile web names: " + fifo + " is not a regular file (p---------)"
		if got := inChild(t, "hurriedNode", []string{"AWS_CONFIG_FILE=" + file}); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	})
}
