package examples_test

import (
	"archive/tar"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// The script needs GNU's mktemp and sha256sum, which only Linux always has.

// programs is a directory with both programs. archive is the file that nodes fetch.
// fakes is a directory with fakes of a node's programs. cache is the plugin's cache, in
// place of the machine's. TestMain makes the programs once for all tests. A program
// that a test has just written may fail to run with "text file busy", because the child
// of another test may hold the file open.
var programs, archive, fakes, cache string

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "examples")
	if err == nil {
		err = makePrograms(dir)
	}
	if err == nil {
		m.Run()
	}
	os.RemoveAll(dir) //nolint:errcheck // a temporary directory
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func makePrograms(dir string) error {
	programs, fakes, cache, archive = filepath.Join(dir, "programs"), filepath.Join(dir, "bin"), filepath.Join(dir, "cache"), filepath.Join(dir, "archive.tar.gz")
	scripts := map[string]string{"curl": fakeFetcher("https://", "--output"), "aws": fakeFetcher("s3://", "")}
	for _, in := range nodes {
		scripts["kubelet-"+in.kubelet] = "#!/bin/sh\necho Kubernetes " + in.kubelet + "\n"
	}
	for name, script := range scripts {
		if err := writeFile(filepath.Join(fakes, name), script, 0o755); err != nil {
			return err
		}
	}
	for _, name := range []string{program, tool} {
		build := exec.CommandContext(context.Background(), "go", "build", "-buildvcs=false",
			"-ldflags", "-s -w -X main.patience=1m -X main.journal= -X main.cacheDirectory="+cache, "-o", filepath.Join(programs, name), program+"/cmd/"+name)
		build.Env = append(os.Environ(), "CGO_ENABLED=0")
		if out, err := build.CombinedOutput(); err != nil {
			return fmt.Errorf("building %s: %w\n%s", name, err, out)
		}
	}
	return pack(archive, map[string]string{program: filepath.Join(programs, program), tool: filepath.Join(programs, tool)})
}

// pack writes an archive with one directory. files has the source of each file by name.
func pack(archive string, files map[string]string) error {
	f, err := os.Create(archive)
	if err != nil {
		return err
	}
	zipped, err := gzip.NewWriterLevel(f, gzip.BestSpeed)
	if err != nil {
		return err
	}
	packed := tar.NewWriter(zipped)
	for _, name := range slices.Sorted(maps.Keys(files)) {
		content, err := os.ReadFile(files[name])
		if err != nil {
			return err
		}
		err = packed.WriteHeader(&tar.Header{Name: program + "-v0.1.0-linux-amd64/" + name, Mode: 0o755, Size: int64(len(content))})
		if err != nil {
			return err
		}
		if _, err := packed.Write(content); err != nil {
			return err
		}
	}
	return errors.Join(packed.Close(), zipped.Close(), f.Close())
}

// fakeFetcher returns a program in place of curl or the AWS CLI. The program copies
// $DOWNLOAD to the path that the real program would write for $URL. For curl, the path
// follows an option. For the AWS CLI, it is the last argument.
func fakeFetcher(scheme, option string) string {
	return `#!/bin/bash
set -euo pipefail
for ((i = 1; i <= $#; i++)); do
  [[ ${!i} == ` + scheme + `* ]] && url=${!i}
  if [[ ${!i} == "` + option + `" ]]; then j=$((i + 1)); to=${!j}; fi
done
[[ $url == "$URL" ]]
cp "$DOWNLOAD" "${to:-${!#}}"
`
}

// TestScriptInstalls runs the script two times with the real programs, in a root
// directory and with different umasks. Then uninstall restores the former files.
func TestScriptInstalls(t *testing.T) {
	t.Parallel()
	for name, in := range nodes {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			n := newNode(t, in)
			before := n.snapshot(t)
			n.mustRun(t, "077")
			n.check(t)
			first := n.snapshot(t)
			n.mustRun(t, "000")
			if second := n.snapshot(t); !maps.Equal(first, second) {
				t.Errorf("second run: got %v; want no change from %v", second, first)
			}
			if out, err := exec.CommandContext(t.Context(), n.root+"/usr/local/bin/"+tool, "uninstall", "--root", n.root).CombinedOutput(); err != nil {
				t.Errorf("uninstall: got %v, want success:\n%s", err, out)
			}
			if after := n.snapshot(t); !maps.Equal(before, after) {
				t.Errorf("after uninstall: got %v; want %v", after, before)
			}
		})
	}
}

// TestScriptFails: after each failure the node is as it was, with or without an
// installed plugin.
func TestScriptFails(t *testing.T) {
	t.Parallel()
	for fault, test := range map[string]struct {
		breakIt func(*testing.T, *node)
		says    string
	}{
		"wrong sum":   {func(_ *testing.T, n *node) { n.sha256 = strings.Repeat("0", 64) }, "sha256sum"},
		"no download": {func(_ *testing.T, n *node) { n.download = "/nowhere" }, "curl"},
		"a page instead of an archive": {func(t *testing.T, n *node) {
			n.setDownload(t, func(file string) error { return writeFile(file, "<html>not found</html>", 0o644) })
		}, "tar"},
		"a plugin that does not run": {func(t *testing.T, n *node) {
			n.setDownload(t, func(file string) error {
				return pack(file, map[string]string{tool: programs + "/" + tool, program: "minimal.yaml"})
			})
		}, "the plugin does not run in "},
		"a wrong configuration": {func(_ *testing.T, n *node) {
			n.configuration = strings.Replace(n.configuration, "registries:", "registry:", 1)
		}, "did you mean registries?"},
		"an unknown kubelet": {func(_ *testing.T, n *node) { n.args = []string{"--kubelet-version", "latest"} }, "latest"},
	} {
		t.Run(fault, func(t *testing.T) {
			t.Parallel()
			n := newNode(t, nodes["AL2023"])
			broken := *n
			test.breakIt(t, &broken)
			for _, state := range []string{"new", "installed"} {
				before := n.snapshot(t)
				if out := broken.mustFail(t); !strings.Contains(out, test.says) || !strings.Contains(out, "not installed: line ") {
					t.Errorf("got %s; want %q and the line", out, test.says)
				}
				if after := n.snapshot(t); !maps.Equal(before, after) {
					t.Errorf("%s node: got %v; want %v", state, after, before)
				}
				if state == "new" {
					n.mustRun(t, "022")
				}
			}
		})
	}
}

// TestScriptFromS3: the line in the script's comment fetches from a bucket.
func TestScriptFromS3(t *testing.T) {
	t.Parallel()
	n := newNode(t, nodes["AL2023"])
	n.url, n.bucket = "s3://bucket/"+program, true
	n.mustRun(t, "022")
	n.check(t)
}

// TestInstallAgain: a node that has the programs takes another configuration without a
// download.
func TestInstallAgain(t *testing.T) {
	t.Parallel()
	n := newNode(t, nodes["AL2023"])
	n.mustRun(t, "022")
	wider := body(read(t, "minimal.yaml")) + "- accounts: [\"777788889999\"]\n  regions: [eu-west-1]\n"
	write(t, n.work+"/config.yaml", wider, 0o600)
	out, err := exec.CommandContext(t.Context(), n.root+"/usr/local/bin/"+tool, "install", "--root", n.root, "--config", n.work+"/config.yaml").CombinedOutput()
	if err != nil || read(t, n.root+"/etc/"+program+"/config.yaml") != wider {
		t.Fatalf("got error %v; want the wider configuration:\n%s", err, out)
	}
	ours := providers(t, read(t, n.root+stockDirectory+"/10-ecr-cross-account.yaml"))[0]
	if want := slices.Concat(hostForms("444455556666", "*"), hostForms("777788889999", "*")); !slices.Equal(ours.MatchImages, want) {
		t.Errorf("got matchImages %q, want %q", ours.MatchImages, want)
	}
}

// TestTalosArguments: the plugin accepts the arguments of the provider, and finds the
// role.
func TestTalosArguments(t *testing.T) {
	t.Parallel()
	args := talosProvider(t).Args
	askPlugin(t, programs+"/"+program, args)
	args = append(args[:len(args)-1:len(args)-1], "explain", hostForms("444455556666", "eu-west-1")[0]+"/app")
	out, err := exec.CommandContext(t.Context(), programs+"/"+program, args...).CombinedOutput()
	if err != nil || !strings.Contains(string(out), "role 1      arn:aws:iam::444455556666:role/ecr-pull\n") {
		t.Errorf("%q: got error %v; want the role:\n%s", args, err, out)
	}
}

func write(t *testing.T, file, content string, mode fs.FileMode) {
	t.Helper()
	if err := writeFile(file, content, mode); err != nil {
		t.Fatal(err)
	}
}

// writeFile writes a file, and makes its directory. The file gets this mode for any
// umask.
func writeFile(file, content string, mode fs.FileMode) error {
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		return err
	}
	if err := os.WriteFile(file, []byte(content), mode); err != nil {
		return err
	}
	return os.Chmod(file, mode)
}
