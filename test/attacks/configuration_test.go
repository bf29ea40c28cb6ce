//go:build linux

package attacks_test

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"ecr-cross-account-credential-provider/test/fakeaws"
)

// oddFile puts something other than a readable file at a path.
type oddFile struct {
	name string
	make func(path string) error
}

func link(target string) func(string) error {
	return func(path string) error { return os.Symlink(target, path) }
}

// oddFiles returns files that an attacker may put in place of a real one. Some of them
// also exist on a node that is not ready. Opening or reading some of them never ends.
func oddFiles() []oddFile {
	return []oddFile{
		{"dangling link", link("/nonexistent/not-mounted")},
		{"link to itself", func(path string) error { return os.Symlink(path, path) }},
		{"directory", func(path string) error { return os.Mkdir(path, 0o700) }},
		{"FIFO", func(path string) error { return syscall.Mkfifo(path, 0o600) }},
		{"link to a FIFO", func(path string) error {
			if err := syscall.Mkfifo(path+".fifo", 0o600); err != nil {
				return err
			}
			return os.Symlink(path+".fifo", path)
		}},
		{"/dev/zero", link("/dev/zero")},
		{"/dev/null", link("/dev/null")},
		{"/dev/tty", link("/dev/tty")},
		{"/dev/stdin", link("/dev/stdin")},
		{"file below a file", link("/etc/passwd/x")},
		{"memory of the process", link("/proc/self/mem")},
		{"sparse file of 1 TB", func(path string) error {
			f, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY, 0o600)
			if err != nil {
				return err
			}
			defer f.Close() //nolint:errcheck // it is empty
			return f.Truncate(1 << 40)
		}},
	}
}

// TestConfigurationFiles: a configuration that exists but cannot be read is an error
// within the deadline, for each of the three ways to name it. If it counted as "no
// configuration", the node's own identity would be used.
func TestConfigurationFiles(t *testing.T) {
	t.Parallel()
	for _, odd := range oddFiles() {
		for _, named := range []string{"default", "variable", "flag"} {
			t.Run(odd.name+", "+named, func(t *testing.T) {
				t.Parallel()
				n := newNode(t, assume)
				path := n.path("default/config.yaml")
				n.place(odd, path)
				switch n.args = nil; named {
				case "variable":
					n.env = append(n.env, "ECR_CROSS_ACCOUNT_CONFIG="+path)
				case "flag":
					n.args = []string{"--config", path}
				}
				n.want(n.pull(image), outcome{class: misconfigured, says: "config.yaml"})
				n.wantCalls(0)
			})
		}
	}
}

// place puts an odd file at a path.
func (n *node) place(odd oddFile, path string) {
	n.t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		n.t.Fatal(err)
	}
	if err := os.Remove(path); err != nil && !os.IsNotExist(err) {
		n.t.Fatal(err)
	}
	if err := odd.make(path); err != nil {
		n.t.Fatal(err)
	}
}

// TestDefaultConfiguration: if the directory of the default file is not mounted yet,
// that is an error. A missing file means no configuration.
func TestDefaultConfiguration(t *testing.T) {
	t.Parallel()
	t.Run("directory is a dangling link", func(t *testing.T) {
		t.Parallel()
		n := newNode(t, assume)
		n.args = nil
		n.place(oddFile{"", link("/nonexistent/not-mounted")}, n.path("default"))
		n.want(n.pull(ownImage), outcome{class: misconfigured, says: "default"})
		n.wantCalls(0)
	})
	t.Run("directory is a file", func(t *testing.T) {
		t.Parallel()
		n := newNode(t, assume)
		n.args = nil
		n.write("default", "")
		n.want(n.pull(ownImage), outcome{class: misconfigured, says: "default"})
		n.wantCalls(0)
	})
	t.Run("no file", func(t *testing.T) {
		t.Parallel()
		n := newNode(t, assume)
		n.args = nil
		n.want(n.pull(ownImage), outcome{role: nodeRole})
	})
}

// TestConfigurationOwner: a configuration that others can write is refused, even
// behind a link that only root can change.
func TestConfigurationOwner(t *testing.T) {
	t.Parallel()
	modes := map[string]os.FileMode{"group writes": 0o664, "others write": 0o646, "all write": 0o666}
	for name, mode := range modes {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			n := newNode(t, assume)
			if err := os.Chmod(n.path("config.yaml"), mode); err != nil {
				t.Fatal(err)
			}
			n.want(n.pull(image), outcome{class: misconfigured, says: "writable by group or others"})
			if err := os.Symlink("config.yaml", n.path("link")); err != nil {
				t.Fatal(err)
			}
			n.args = []string{"--config", n.path("link")}
			n.want(n.pull(image), outcome{class: misconfigured, says: "writable by group or others"})
			n.wantCalls(0)
		})
	}
	if os.Geteuid() == 0 { // only root can change a file's owner
		t.Run("another user's", func(t *testing.T) {
			t.Parallel()
			n := newNode(t, assume)
			if err := os.Chown(n.path("config.yaml"), nobody, nobody); err != nil {
				t.Fatal(err)
			}
			n.want(n.pull(image), outcome{class: misconfigured, says: "owned by user"})
			n.wantCalls(0)
		})
	}
}

// nobody is a user who is neither root nor the user of the tests.
const nobody = 65534

// TestConfigurationTexts: a text that is not a valid configuration is an error. The
// error names the line if the text is YAML. No part of the text takes effect.
func TestConfigurationTexts(t *testing.T) {
	t.Parallel()
	const head = "apiVersion: " + module + "/v1alpha1\nkind: CrossAccountConfig\n"
	entry := func(settings string) string { return head + assume + settings }
	stars := strings.Repeat("*a", 50<<10)
	for name, test := range map[string]struct{ text, says string }{
		"empty":                    {"", "empty"},
		"white space":              {"\n \n", "empty"},
		"comment":                  {"# nothing\n", "empty"},
		"NUL":                      {head + assume + "\x00", "not a text file"},
		"NUL in a path":            {entry("log: {destination: \"/var/log/x\\0y\"}\n"), "config.yaml:7"},
		"NUL in the cache's path":  {entry("cache: {directory: \"/run/x\\0y\"}\n"), "config.yaml:7"},
		"NUL in the SDK's path":    {entry("node: {configFile: \"/x\\0y\"}\n"), "config.yaml:7"},
		"not UTF-8":                {entry("# \xff\n"), "not a text file"},
		"UTF-16":                   {"\xff\xfea\x00", "not a text file"},
		"a program":                {"\x7fELF\x02", "config.yaml"},
		"larger than 1 MiB":        {entry(strings.Repeat("#", 1<<20)), "larger than"},
		"second document":          {entry("---\nunmatched: None\n"), "config.yaml:7"},
		"second document, broken":  {entry("---\n{"), "config.yaml:"},
		"YAML 1.2":                 {"%YAML 1.2\n---\n" + entry(""), "config.yaml:1"},
		"unknown anchor":           {entry("unmatched: *none\n"), "config.yaml:7"},
		"alias cycle":              {head + "registries: &r [*r]\n", "config.yaml:3"},
		"custom tag":               {entry("unmatched: !!python/object:os.system None\n"), "config.yaml:7"},
		"local tag":                {entry("unmatched: !evil None\n"), "config.yaml:7"},
		"duplicate key":            {entry("unmatched: None\nunmatched: Node\n"), "config.yaml:8"},
		"merge key":                {entry("<<: {unmatched: None}\n"), "config.yaml:7"},
		"unknown key":              {entry("unmatchd: None\n"), "config.yaml:7"},
		"1,000 million laughs":     {head + laughs(), "config.yaml"},
		"deep":                     {head + "registries: " + strings.Repeat("[", 200_000), "config.yaml"},
		"deep mappings":            {head + "registries: " + strings.Repeat("{a: ", 100_000), "config.yaml"},
		"deep blocks":              {head + "registries:\n" + strings.Repeat("- ", 200_000), "config.yaml"},
		"patterns of 100 KB":       {head + "registries:\n- accounts: [own]\n  regions: [\"" + stars + "\"]\n- accounts: [own]\n  regions: [\"" + stars + "b\"]\n", "config.yaml:5"},
		"role of 100 KB":           {strings.Replace(entry(""), "ecr-pull", strings.Repeat("a", 100<<10), 1), "config.yaml:6"},
		"Node instead of a pod":    {head + ofPods + "  whenRefused: Node\n", "config.yaml:"},
		"any role of any account":  {head + strings.Replace(ofPods, `"arn:aws:iam::444455556666:role/pull-*"`, `"*"`, 1), "config.yaml:"},
		"no allowed roles":         {head + strings.Replace(ofPods, `["arn:aws:iam::444455556666:role/pull-*"]`, "[]", 1), "config.yaml:"},
		"external ID under a star": {head + "registries:\n- accounts: [\"*\"]\n  exceptAccounts: [own]\n  assumeRoles:\n  - arn: arn:{partition}:iam::{account}:role/x\n    externalID: e\n", "config.yaml:8"},
		"http endpoint":            {entry("endpoints: {sts: {eu-west-1: \"http://evil.example\"}}\n"), "config.yaml:7"},
		"password in an endpoint":  {entry("endpoints: {sts: {eu-west-1: \"https://u:LEAKED@evil.example\"}}\n"), "config.yaml:7"},
		"file endpoint":            {entry("endpoints: {ecr: {eu-west-1: \"file:///etc/passwd\"}}\n"), "config.yaml:7"},
		"endless deadline":         {entry("deadline: 10h\n"), "config.yaml:7"},
		"deadline of infinity":     {entry("deadline: .inf\n"), "config.yaml:7"},
		"relative cache":           {entry("cache: {directory: ../cache}\n"), "config.yaml:7"},
		"relative log":             {entry("log: {destination: ../log}\n"), "config.yaml:7"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			n := newNode(t, assume)
			n.write("config.yaml", test.text)
			n.want(n.pull(image), outcome{class: misconfigured, says: test.says})
			n.wantCalls(0)
		})
	}
}

// laughs returns aliases of aliases that multiply ("billion laughs").
func laughs() string {
	var text strings.Builder
	text.WriteString("x0: &x0 [ha]\n")
	for _, i := range "123456789" {
		before := "*x" + string(i-1)
		text.WriteString("x" + string(i) + ": &x" + string(i) + " [" + before + strings.Repeat(", "+before, 9) + "]\n")
	}
	return text.String() + "registries: *x9\n"
}

// TestSlowConfiguration: loading 200 patterns of regions, each within its limit, takes
// less than the deadline.
func TestSlowConfiguration(t *testing.T) {
	t.Parallel()
	n := newNode(t, assume)
	var text strings.Builder
	text.WriteString(n.configuration(assume + "- accounts: [own]\n  regions:\n"))
	body := text.String()
	patterns := make([]string, 0, 256)
	for i := range 200 {
		patterns = append(patterns, `  - "us-*`+strings.Repeat("a*", 25)+string(rune('a'+i%26))+string(rune('a'+i/26))+`"`)
	}
	body = strings.Replace(body, "  regions:\n", "  regions:\n"+strings.Join(patterns, "\n")+"\n", 1)
	n.write("config.yaml", body)
	n.want(n.pull(image), outcome{})
	n.wantCalls(1, fakeaws.STS)
}
