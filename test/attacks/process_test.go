//go:build linux

package attacks_test

import (
	"encoding/json"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"ecr-cross-account-credential-provider/test/fakeaws"
)

// TestCredentialProcess: the plugin limits the output and the time of a profile's
// credential_process, also through source_profile. It leaves no child process behind.
// The error names the failure, and the plugin does not retry.
func TestCredentialProcess(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct{ command, says string }{
		"1 GB of output":          {"head -c 1G /dev/zero", "larger than"},
		"endless output":          {"cat /dev/zero", "larger than"},
		"1 MB of errors":          {"head -c 1M /dev/zero >&2; exit 1", "exit status 1"},
		"hangs":                   {"exec sleep 1000", ""},
		"hangs in a child":        {"sleep 1000 & wait", ""},
		"ignores signals":         {"trap '' TERM INT HUP; sleep 1000", ""},
		"child holds stderr":      {"sleep 1000 & exit 1", "credential_process failed"},
		"child holds both":        {"(sleep 1000; echo LEAKED) & exit 1", "credential_process failed"},
		"exit 1":                  {"exit 1", "exit status 1"},
		"exit 255":                {"exit 255", "exit status 255"},
		"kills itself":            {"kill -9 $$", "credential_process failed"},
		"no such program":         {"/nonexistent/program", "exit status 127"},
		"not a program":           {"/etc/passwd", "exit status 126"},
		"no output":               {"true", "credential_process failed"},
		"not JSON":                {"echo LEAKED", "credential_process failed"},
		"array":                   {"echo []", "credential_process failed"},
		"null":                    {"echo null", "credential_process failed"},
		"other version":           {`echo '{"Version":2,"SecretAccessKey":"LEAKED"}'`, "credential_process failed"},
		"no keys":                 {`echo '{"Version":1,"SessionToken":"LEAKED"}'`, "credential_process failed"},
		"secret on stderr":        {"printf 'a\\r\\nb\\033[31m\\000c' >&2; exit 3", "exit status 3"},
		"secret of the node":      {"echo $AWS_CONTAINER_AUTHORIZATION_TOKEN >&2; exit 4", "exit status 4"},
		"reads stdin":             {"cat >&2; exit 5", "exit status 5"},
		"stops itself":            {"kill -STOP $$; exit 6", ""},
		"deep JSON":               {"head -c 500000 /dev/zero | tr '\\0' '['", "credential_process failed"},
		"kills its process group": {"kill -TERM 0", "credential_process failed"},
	} {
		for _, through := range []string{"profile", "source_profile"} {
			t.Run(name+", "+through, func(t *testing.T) {
				t.Parallel()
				n := newNode(t, assume)
				if test.says == "" { // only the deadline ends it, so the cause depends on the machine
					n.write("config.yaml", n.configuration(assume+"deadline: 2s\n"))
				}
				n.runs(test.command, through)
				n.env = append(n.env, "AWS_CONTAINER_AUTHORIZATION_TOKEN=LEAKED-by-the-program")
				n.want(n.pull(image), outcome{class: failed, says: test.says})
				n.wantCalls(0)
				if runs := strings.Count(n.read("runs"), "x"); runs != 1 {
					t.Errorf("the program ran %d times, want once", runs)
				}
				n.wantNoChild()
			})
		}
	}
}

// runs makes a credential_process the node's identity. The program records each run in
// the file "runs".
func (n *node) runs(command, through string) {
	n.t.Helper()
	script := n.write("program", "printf x >> "+n.path("runs")+"\n"+command+"\n")
	profiles := "[default]\nregion = eu-west-1\ncredential_process = sh " + script + "\n"
	if through == "source_profile" {
		profiles = strings.Replace(profiles, "[default]", "[default]\nregion = eu-west-1\nrole_arn = "+nodeRole+"\nsource_profile = p\n[profile p]", 1)
	}
	n.env = append(n.env, "AWS_CONFIG_FILE="+n.write("aws", profiles), "ATTACKED_NODE="+n.dir)
}

func (n *node) read(name string) string {
	n.t.Helper()
	content, err := os.ReadFile(n.path(name))
	if err != nil {
		n.t.Error(err)
	}
	return string(content)
}

// wantNoChild checks that no process of the node remains. Processes that are being
// killed get time to end.
func (n *node) wantNoChild() {
	n.t.Helper()
	ticker := time.NewTicker(10 * time.Millisecond)
	defer ticker.Stop()
	end := time.After(hang)
	for {
		found := n.children()
		if len(found) == 0 {
			return
		}
		select {
		case <-ticker.C:
		case <-end:
			n.t.Errorf("processes still run: %v", found)
			return
		}
	}
}

// children returns the processes that have the node's environment.
func (n *node) children() (found []string) {
	processes, err := os.ReadDir("/proc")
	if err != nil {
		n.t.Fatal(err)
	}
	for _, p := range processes {
		if _, err := strconv.Atoi(p.Name()); err != nil {
			continue
		}
		environment, err := os.ReadFile("/proc/" + p.Name() + "/environ")
		if err == nil && strings.Contains(string(environment), "ATTACKED_NODE="+n.dir+"\x00") {
			found = append(found, p.Name())
		}
	}
	return found
}

// TestCredentialProcessMemory: endless output, or 1 GB on stderr, uses little memory.
// Otherwise the plugin would crash in its 1 GB of address space.
func TestCredentialProcessMemory(t *testing.T) {
	t.Parallel()
	for _, through := range []string{"profile", "source_profile"} {
		t.Run(through, func(t *testing.T) {
			t.Parallel()
			n := newNode(t, assume)
			n.runs("cat /dev/zero", through)
			n.want(n.finish(n.shell(littleMemory)), outcome{class: failed, says: "larger than"})
			m := newNode(t, assume) // the first node remembers its error
			m.runs("head -c 1G /dev/zero >&2; exit 1", through)
			m.want(m.finish(m.shell(littleMemory)), outcome{class: failed, says: "credential_process failed"})
		})
	}
}

// littleMemory runs a program with 1 GB of address space.
const littleMemory = `ulimit -v 1000000; exec "$@"`

// TestGoodCredentialProcess: a program that works is the node's identity, even if it
// writes to stderr.
func TestGoodCredentialProcess(t *testing.T) {
	t.Parallel()
	n := newNode(t, assume)
	c := n.aws.World.Issue(nodeRole, "hybrid", time.Hour)
	credentials, err := json.Marshal(map[string]any{
		"Version": 1, "AccessKeyId": c.AccessKeyID, "SecretAccessKey": c.SecretAccessKey, "SessionToken": c.SessionToken,
		"Expiration": c.Expires.UTC().Format(time.RFC3339),
	})
	if err != nil {
		t.Fatal(err)
	}
	n.runs("cat "+n.write("credentials", string(credentials))+"; echo LEAKED >&2", "profile")
	n.want(n.pull(image), outcome{})
	n.wantCalls(1, fakeaws.STS)
}
