package procfs

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// proc makes a directory like /proc from the contents of files.
func proc(t *testing.T, files map[string]string) FS {
	t.Helper()
	dir := t.TempDir()
	for name, content := range files {
		path := filepath.Join(dir, name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o700), os.WriteFile(path, []byte(content), 0o600)); err != nil {
			t.Fatal(err)
		}
	}
	return FS(dir)
}

func TestFind(t *testing.T) {
	t.Parallel()
	fs := proc(t, map[string]string{
		"stat": "cpu 1 2\nbtime 1700000000\nprocesses 3\n", "sys/kernel": "",
		"30/comm": "kubelet\n", "30/cmdline": "/usr/bin/kubelet\x00--v=2\x00", "4/comm": "kubelet\n", "4/cmdline": "kubelet\x00--config\x00/first\x00--config=/second\x00",
		"4/environ": "PATH=/bin\x00HOME=/root\x00garbage\x00", "4/stat": "4 (kube) let) S " + "1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 250 20 21",
		"5/comm": "containerd\n", "5/cmdline": "containerd\x00", "6/comm": "kubelet\n", "6/cmdline": "", // a zombie
		"7/comm": "kubelet\n",
	})
	found, err := fs.Find("kubelet", "k3s")
	if err != nil || len(found) != 2 || found[0].PID != 4 || found[1].PID != 30 {
		t.Fatalf("got %+v, %v, want processes 4 and 30", found, err)
	}
	p := found[0]
	if value, ok := p.Flag("config"); value != "/second" || !ok {
		t.Errorf("--config is %q, %t; want the last one", value, ok)
	}
	if value, ok := found[1].Flag("config"); ok {
		t.Errorf("--config is %q, want none", value)
	}
	environ, err := p.Environ()
	if diff := cmp.Diff([]string{"PATH=/bin", "HOME=/root"}, environ); diff != "" || err != nil {
		t.Error(err, diff)
	}
	started, err := p.Started()
	if want := time.Unix(1700000002, 5e8); !started.Equal(want) || err != nil {
		t.Errorf("started at %s, %v; want %s", started, err, want)
	}
	if _, err := found[1].Started(); err == nil {
		t.Error("got no error for a process without stat, want one")
	}
	if _, err := FS(filepath.Join(string(fs), "none")).Find("x"); err == nil {
		t.Error("got no error for a directory that does not exist, want one")
	}
}

// TestFindKubelet: a kubelet in a container belongs to another node. It counts only if
// there is no other kubelet.
func TestFindKubelet(t *testing.T) {
	t.Parallel()
	type program struct {
		pid                int
		name, root, cgroup string
	}
	inside := t.TempDir()
	for name, test := range map[string]struct {
		programs []program
		want     int
	}{
		"none":                       {nil, 0},
		"a kubelet":                  {[]program{{4, "kubelet", "/", ""}}, 4},
		"RKE2 and its kubelet":       {[]program{{4, "rke2", "/", ""}, {30, "kubelet", "/", ""}}, 30},
		"an older one in a pod":      {[]program{{4, "kubelet", inside, ""}, {30, "kubelet", "/", ""}}, 30},
		"k3s, and one in a pod":      {[]program{{4, "k3s-server", "/", ""}, {30, "kubelet", inside, ""}}, 4},
		"one of a pod alone":         {[]program{{4, "kubelet", inside, "0::/kubepods.slice/kubepods-podx.slice/y.scope"}}, 0},
		"one of a kind node":         {[]program{{4, "kubelet", inside, "0::/docker/x/kubelet.slice/kubelet.service"}}, 4},
		"a pod with the node's root": {[]program{{4, "kubelet", "/", "0::/kubepods.slice/x"}}, 4},
		"all of them in a container": {[]program{{4, "rke2", inside, ""}, {30, "kubelet", inside, ""}}, 30},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			fs := proc(t, nil)
			for _, p := range test.programs {
				dir := filepath.Join(string(fs), strconv.Itoa(p.pid))
				if err := errors.Join(
					os.Mkdir(dir, 0o700), os.WriteFile(filepath.Join(dir, "comm"), []byte(p.name+"\n"), 0o600),
					os.WriteFile(filepath.Join(dir, "cmdline"), []byte(p.name+"\x00"), 0o600), os.Symlink(p.root, filepath.Join(dir, "root")),
					os.WriteFile(filepath.Join(dir, "cgroup"), []byte(p.cgroup+"\n"), 0o600),
				); err != nil {
					t.Fatal(err)
				}
			}
			got, ok, err := fs.FindKubelet()
			if err != nil || got.PID != test.want || ok != (test.want != 0) {
				t.Errorf("got process %d, %t, error %v; want %d", got.PID, ok, err, test.want)
			}
		})
	}
}

func TestFlag(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		args []string
		want string
		ok   bool
	}{
		"two words":     {[]string{"k", "--flag", "x"}, "x", true},
		"one word":      {[]string{"k", "--flag=x"}, "x", true},
		"empty":         {[]string{"k", "--flag="}, "", true},
		"a longer name": {[]string{"k", "--flag-x=y"}, "", false},
		"no value":      {[]string{"k", "--flag"}, "", false},
		"the last one":  {[]string{"k", "--flag", "a", "--flag=b"}, "b", true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got, ok := (Process{Args: test.args}).Flag("flag"); got != test.want || ok != test.ok {
				t.Errorf("got %q, %t, want %q, %t", got, ok, test.want, test.ok)
			}
		})
	}
}

// TestRealProcess reads a process of this machine.
func TestRealProcess(t *testing.T) {
	t.Parallel()
	if runtime.GOOS != "linux" {
		t.Skip("there is no /proc on " + runtime.GOOS)
	}
	cmd := exec.CommandContext(t.Context(), "sleep", "600")
	cmd.Env = []string{"A_VARIABLE=its value"}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _, _ = cmd.Process.Kill(), cmd.Wait() })
	found, err := FS("/proc").Find("sleep")
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range found {
		if p.PID != cmd.Process.Pid {
			continue
		}
		environ, err := p.Environ()
		if diff := cmp.Diff([]string{"A_VARIABLE=its value"}, environ); diff != "" || err != nil {
			t.Error(err, diff)
		}
		started, err := p.Started()
		if err != nil || time.Since(started).Abs() > time.Hour {
			t.Errorf("started at %s, %v; want a time within this hour", started, err)
		}
		return
	}
	t.Errorf("process %s is not among %+v", strconv.Itoa(cmd.Process.Pid), found)
}
