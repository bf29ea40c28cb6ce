//go:build unix

package awsapi

import (
	"io"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"ecr-cross-account-credential-provider/test/fakeaws"
)

// TestProcess: a credential_process that gives no credentials runs once, and its
// output and time are limited. The message names it as the cause. The same holds
// for the credential_process of a source_profile.
func TestProcess(t *testing.T) {
	t.Parallel()
	const good = `{"Version":1,"AccessKeyId":"ASIAEXAMPLE","SecretAccessKey":"x"}`
	tests := []struct{ name, command, want string }{
		{"fails", "echo no certificate >&2; exit 3", "exit status 3: no certificate"},
		{"does not exist", "/nope/process", "exit status 127: "},
		{"no output", "true", "unexpected end of JSON input"},
		{"no JSON", "echo SECRETKEYexample", "invalid character 'S' looking for beginning of value"},
		{"has no keys", `echo '{"Version":1}'`, "missing AccessKeyId in process output"},
		{"never ends its output", "yes", "its output is larger than 1048576 bytes"},
		{"ignores a closed output", "trap '' PIPE; yes; sleep 1000", "its output is larger than 1048576 bytes"},
		{"never ends", "sleep 1000; sleep 1000", "it did not end in time"},
		{"leaves a child with its output", "sleep 1000 & echo '" + good + "'", "exec: WaitDelay expired before I/O complete"},
		{"says much on stderr", "yes | head -c 1000000 >&2; exit 4", "exit status 4: y y y"},
	}
	for _, test := range tests {
		for profile, more := range map[string]string{"default": "", "role": "[profile role]\nrole_arn = arn:aws:iam::111122223333:role/node\nsource_profile = default\n"} {
			t.Run(test.name+", "+profile, func(t *testing.T) {
				t.Parallel()
				runs := write(t, "runs", "")
				file := write(t, "config", "[default]\ncredential_process = echo run >>"+runs+"; "+test.command+"\n"+more)
				child := "node"
				if test.name == "never ends" {
					child = "hurriedNode"
				}
				got := inChild(t, child, []string{"AWS_CONFIG_FILE=" + file, "AWS_PROFILE=" + profile, "AWS_REGION=eu-west-1", "PATH=/usr/bin:/bin"})
				if want := "the profile's credential_process failed: " + test.want; !strings.HasPrefix(got, want) {
					t.Errorf("got %s, want %s", got, want)
				}
				wantLine(t, got)
				if n, err := os.ReadFile(runs); err != nil || string(n) != "run\n" {
					t.Errorf("got runs %q, %v; want one", n, err)
				}
			})
		}
	}
}

// TestProcessOfSourceProfile: the credentials of the process assume the role.
func TestProcessOfSourceProfile(t *testing.T) {
	t.Parallel()
	_, server := startAWS(t, fakeaws.Options{}, 0)
	file := write(t, "config", "[default]\ncredential_process = echo '"+`{"Version":1,"AccessKeyId":"ASIAEXAMPLE","SecretAccessKey":"x"}`+"'\n"+
		"[profile role]\nrole_arn = arn:aws:iam::111122223333:role/node\nsource_profile = default\n")
	got := inChild(t, "node", append(server.Env(), "AWS_CONFIG_FILE="+file, "AWS_PROFILE=role", "AWS_REGION=eu-west-1", "PATH=/usr/bin:/bin"))
	if calls := server.Calls(fakeaws.STS); len(calls) != 1 || !strings.HasPrefix(got, "InvalidClientTokenId: ") {
		t.Errorf("got %s after the calls %v; want STS to refuse unknown keys", got, calls)
	}
}

// TestProcessEndsWithItsChildren: no child of the process outlives it.
func TestProcessEndsWithItsChildren(t *testing.T) {
	t.Parallel()
	for child, command := range map[string]string{"node": "exit 3", "hurriedNode": "wait"} {
		t.Run(child, func(t *testing.T) {
			t.Parallel()
			fifo := t.TempDir() + "/fifo"
			makeFIFO(t, fifo)
			reader, err := os.OpenFile(fifo, os.O_RDONLY|syscall.O_NONBLOCK, 0)
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = reader.Close() }()
			file := write(t, "config", "[default]\ncredential_process = exec 3>"+fifo+"; echo started >&3; sleep 1000 >/dev/null 2>&1 & "+command+"\n")
			inChild(t, child, []string{"AWS_CONFIG_FILE=" + file, "AWS_REGION=eu-west-1", "PATH=/usr/bin:/bin"})
			if err := reader.SetReadDeadline(time.Now().Add(time.Minute)); err != nil {
				t.Fatal(err)
			}
			// Reading the FIFO ends when no process has it open for writing.
			if got, err := io.ReadAll(reader); err != nil || string(got) != "started\n" {
				t.Errorf("read %q, %v; want %q and EOF, because no child remains", got, err, "started\n")
			}
		})
	}
}
