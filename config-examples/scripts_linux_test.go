package examples_test

import (
	"context"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// The scripts need GNU's mv, install and sync, which only Linux always has.

// binary is the plugin, standIns a directory with fakes of programs, and cache the
// plugin's cache in place of the machine's. They are made once for all tests. If a
// test had just written a program, running it could fail with "text file busy",
// because the child of another test may hold it open.
var binary, standIns, cache string

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
	binary, standIns, cache = filepath.Join(dir, program), filepath.Join(dir, "bin"), filepath.Join(dir, "cache")
	for name, script := range map[string]string{
		"curl":    standIn("https://", "--output"),
		"aws":     standIn("s3://", ""),
		"kubelet": "#!/bin/sh\necho \"Kubernetes $KUBELET\"\n",
	} {
		if err := writeFile(filepath.Join(standIns, name), script, 0o755); err != nil {
			return err
		}
	}
	build := exec.CommandContext(context.Background(), "go", "build", "-buildvcs=false",
		"-ldflags", "-X main.journal= -X main.cacheDirectory="+cache, "-o", binary, program+"/cmd/"+program)
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		return fmt.Errorf("building the plugin: %w\n%s", err, out)
	}
	return nil
}

// standIn is a fake of curl and of the AWS CLI. It copies $DOWNLOAD to the output
// file: an option of curl, and the last argument of the AWS CLI.
func standIn(scheme, option string) string {
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

// TestScriptsInstall runs the scripts twice, in their own root directory, with the
// two umasks that matter.
func TestScriptsInstall(t *testing.T) {
	t.Parallel()
	for name, in := range installers {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			n := newNode(t, in)
			n.mustRun(t, "077")
			n.check(t)
			first := n.snapshot(t)
			n.mustRun(t, "000")
			if second := n.snapshot(t); !maps.Equal(first, second) {
				t.Errorf("after a second run %v; after the first %v", second, first)
			}
		})
	}
}

// TestScriptsFail: after any failure, the node is unchanged, whether it had the
// plugin before or not.
func TestScriptsFail(t *testing.T) {
	t.Parallel()
	faults := map[string]func(*testing.T, *node){
		"wrong checksum": func(_ *testing.T, n *node) { n.sha256 = strings.Repeat("0", 64) },
		"no download":    func(_ *testing.T, n *node) { n.download = "/nowhere" },
		"not a program":  func(t *testing.T, n *node) { n.setBinary(t, "<html>not found</html>") },
		"no version":     func(t *testing.T, n *node) { n.setBinary(t, "#!/bin/sh\n[ \"$1\" != version ]\n") },
		"invalid configuration": func(_ *testing.T, n *node) {
			n.configuration = strings.Replace(n.configuration, "registries:", "registry:", 1)
		},
	}
	for name, in := range installers {
		for faultName, fault := range faults {
			if in.file == bake && faultName == "wrong checksum" {
				continue // this script has no checksum
			}
			t.Run(name+"/"+faultName, func(t *testing.T) {
				t.Parallel()
				n := newNode(t, in)
				before := n.snapshot(t)
				broken := *n
				fault(t, &broken)
				broken.mustFail(t)
				if in.flag == fileFlag && in.file != bake {
					n.checkStandIn(t, before)
				} else if after := n.snapshot(t); !maps.Equal(before, after) {
					t.Errorf("a new node has %v; had %v", after, before)
				}
				n.mustRun(t, "022")
				before = n.snapshot(t)
				broken.mustFail(t)
				if after := n.snapshot(t); !maps.Equal(before, after) {
					t.Errorf("an installed node has %v; had %v", after, before)
				}
			})
		}
	}
}

// TestBakeRefuses: the script refuses files with which a kubelet would not start,
// and missing files.
func TestBakeRefuses(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct{ installer, providers, want string }{
		"complete file in the directory": {"bake", besideOlder, "has no provider " + program},
		"part of a file":                 {"bake older", beside, "has no provider aws-" + program},
		"stock provider twice":           {"bake", "both", "which"},
		"stock provider missing":         {"bake older", "ours", "lacks ecr-credential-provider"},
		"no file":                        {"bake", "", "no such file"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			n := newNode(t, installers[tt.installer])
			switch tt.providers {
			case "both":
				n.providers = strings.Replace(read(t, besideOlder), "- name: aws-", "- name: ", 1)
			case "ours":
				n.providers = strings.Replace(read(t, beside), "- name: ", "- name: aws-", 1)
			case "":
				n.providers = ""
			default:
				n.providers = read(t, tt.providers)
			}
			before := n.snapshot(t)
			if out := n.mustFail(t); !strings.Contains(out, tt.want) || strings.Count(out, "\n") != 1 {
				t.Errorf("says %q; want one line with %q", out, tt.want)
			}
			if after := n.snapshot(t); !maps.Equal(before, after) {
				t.Errorf("the node has %v; had %v", after, before)
			}
		})
	}
}

// TestUserDataFromS3: a URL of S3 goes to the AWS CLI.
func TestUserDataFromS3(t *testing.T) {
	t.Parallel()
	n := newNode(t, installers["user data"])
	n.url = "s3://bucket/" + program
	n.mustRun(t, "022")
	n.check(t)
}
