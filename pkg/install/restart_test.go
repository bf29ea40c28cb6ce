package install

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
)

// services stands in for systemd. It reports the kubelet's state that the test chooses,
// and records the calls.
type services struct {
	told []string
	// broken reports whether a kubelet that starts now ends again.
	broken func() bool
	// fails is the error of a restart.
	fails    error
	pid, age int
	ends     bool
	quick    bool // a kubelet that ends is replaced before anybody looks
}

func (s *services) Reload(context.Context) error { return s.note("reload") }

func (s *services) Start(_ context.Context, units ...string) error {
	return s.note("start " + strings.Join(units, " "))
}

func (s *services) Stop(_ context.Context, units ...string) error {
	return s.note("stop " + strings.Join(units, " "))
}

func (s *services) Restart(_ context.Context, unit string) error {
	s.pid, s.age, s.ends = s.pid+1, 0, s.broken()
	return errors.Join(s.note("restart "+unit), s.fails)
}

// Status returns activating, then active. A broken kubelet ends after three seconds.
func (s *services) Status(context.Context, string) (Status, error) {
	switch s.age++; {
	case s.age == 1:
		return Status{State: "activating"}, nil
	case s.ends && s.age > 4:
		if s.quick {
			s.pid++
			return Status{State: "active", PID: s.pid}, nil
		}
		return Status{State: "activating"}, nil // systemd has started it again
	}
	return Status{State: "active", PID: s.pid}, nil
}

func (s *services) Log(context.Context, string) (string, error) {
	return "I1 starting\nE2 run.go:72] \"command failed\" err=\"failed to run Kubelet: plugin binary is not executable\"\nI3 end\n", nil
}

func (s *services) note(what string) error {
	s.told = append(s.told, what)
	return nil
}

// withServices makes a node with a running kubelet that systemd controls.
func (d diskOf) withServices(t *testing.T) (*testNode, *services) {
	t.Helper()
	n := d.node(t)
	s := &services{broken: func() bool { return false }}
	n.Services, n.options.Restart = s, true
	n.Health = func(context.Context) error { return nil }
	n.runKubelet("", "--image-credential-provider-config="+d.config, "--image-credential-provider-bin-dir="+d.binDir)
	return n, s
}

func TestRestart(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		n, s := disks["AL2"].withServices(t)
		before := n.snapshot()
		n.install()
		n.install() // nothing changes, so nothing restarts
		n.uninstall()
		want := []string{
			"reload", "start " + refreshTimer + " " + bootTimer, "restart kubelet",
			"restart kubelet", "stop " + bootTimer + " " + refreshTimer, "reload",
		}
		if !slices.Equal(s.told, want) {
			t.Errorf("got the calls %q, want %q", s.told, want)
		}
		n.same(before)
	})
}

// TestRollback: if the kubelet is not healthy with the new files, every byte is
// restored and the kubelet is restarted again. The error has the kubelet's reason.
func TestRollback(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		breaks func(*testNode, *services)
		want   []string
	}{
		"it ends": {
			func(n *testNode, s *services) {
				s.broken = func() bool { return strings.Contains(n.read(eksDir+"/config.json"), pluginName) }
			},
			[]string{
				"kubelet is not healthy after the change: it ended after its start (activating); its log: E2", "plugin binary is not executable",
				"; the former files are back, and kubelet is healthy again",
			},
		},
		"another process replaces it": {
			func(n *testNode, s *services) {
				s.quick, s.broken = true, func() bool { return strings.Contains(n.read(eksDir+"/config.json"), pluginName) }
			},
			[]string{"kubelet is not healthy after the change: it ended after its start (active); its log: E2", "; the former files are back, and kubelet is healthy again"},
		},
		"it says so": {
			func(n *testNode, _ *services) {
				n.Health = func(context.Context) error {
					if strings.Contains(n.read(eksDir+"/config.json"), pluginName) {
						return errors.New("500 Internal Server Error")
					}
					return nil
				}
			},
			[]string{"it did not become healthy within 2m0s", "500 Internal Server Error", "healthy again"},
		},
		"it stays down": {
			func(_ *testNode, s *services) { s.broken = func() bool { return true } },
			[]string{"the former files are back, but kubelet is still not healthy: it ended after its start"},
		},
		"systemd refuses": {
			func(_ *testNode, s *services) { s.fails = errors.New("Job for kubelet.service failed") },
			[]string{"Job for kubelet.service failed", "still not healthy"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				n, s := disks["AL2"].withServices(t)
				before := n.snapshot()
				test.breaks(n, s)
				err := n.Install(t.Context(), n.options)
				for _, want := range test.want {
					if err == nil || !strings.Contains(err.Error(), want) {
						t.Errorf("got %v, want %q", err, want)
					}
				}
				n.same(before)
				if got := strings.Count(fmt.Sprint(s.told), "restart kubelet"); got != 2 {
					t.Errorf("got %d restarts (%q), want 2", got, s.told)
				}
				if !slices.Contains(s.told, "stop "+bootTimer+" "+refreshTimer) {
					t.Errorf("got the calls %q, want the timers stopped", s.told)
				}
			})
		})
	}
}

// TestRollbackOfUpgrade: after a failed upgrade the former plugin is in place.
// Uninstall still restores the files from before the first install.
func TestRollbackOfUpgrade(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		n, s := disks["AL2"].withServices(t)
		before := n.snapshot()
		n.install()
		installed := n.snapshot()
		n.writeFile(n.options.Plugin, "#!/bin/sh\n# plugin 2\n", 0o755)
		s.broken = func() bool { return strings.Contains(n.read(eksDir+"/"+olderName), "plugin 2") }
		if err := n.Install(t.Context(), n.options); err == nil {
			t.Error("got no error, want one for the upgrade")
		}
		n.same(installed)
		s.broken = func() bool { return false }
		n.uninstall()
		n.same(before)
	})
}

// TestRestartPending: if one run does not restart the kubelet, the next run does.
func TestRestartPending(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		n, s := disks["AL2"].withServices(t)
		n.options.Restart = false
		n.install()
		n.options.Restart = true
		n.install()
		n.install()
		if got := strings.Count(fmt.Sprint(s.told), "restart kubelet"); got != 1 {
			t.Errorf("got %d restarts (%q), want 1", got, s.told)
		}
	})
}

// TestRunningKubelet: files that a running kubelet uses stay until it is restarted.
func TestRunningKubelet(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := disks["RKE2"]
		n, _ := d.withServices(t)
		before := n.snapshot()
		n.options.Restart = false
		n.install()
		n.write("/usr/local/bin/rke2", "rke2 version v1.34.0+rke2r1")
		n.install() // the provider's name changes, and the kubelet still runs the older name
		if !n.disk().exists(d.binDir + "/" + olderName) {
			t.Error("want the binary that the kubelet runs, got none")
		}
		err := n.Uninstall(t.Context(), Options{})
		if err == nil || !strings.Contains(err.Error(), "the running kubelet goes on running the plugin until it is restarted; add --restart") {
			t.Errorf("uninstall: got %v, want it refused", err)
		}
		n.options.Restart = true
		n.install()
		if n.disk().exists(d.binDir + "/" + olderName) {
			t.Error("got the older binary, want it removed")
		}
		n.uninstall()
		before["/usr/local/bin/rke2"] = n.snapshot()["/usr/local/bin/rke2"]
		n.same(before)
	})
}

// TestFlagsOfRunningKubelet: on a running node of AL2023 the flags change at the next
// boot. Until then the file that they name stays.
func TestFlagsOfRunningKubelet(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := disks["AL2023, older"]
		n, _ := d.withServices(t)
		before := n.snapshot()
		n.runKubelet("", "--image-credential-provider-config="+eksDir+"/config.json", "--image-credential-provider-bin-dir="+eksDir)
		n.refused("--restart is not enough here: reboot this node: nodeadm reads " + nodeConfigPath)
		n.options.Restart = false
		n.install()
		if !strings.Contains(n.out.String(), "to do: reboot this node") {
			t.Errorf("got %s, want a line that says to reboot", n.out.String())
		}
		// After the boot the kubelet has the flag. The flag stays until the boot after
		// uninstall.
		n.runKubelet("", "--image-credential-provider-config="+ownProviders, "--image-credential-provider-bin-dir="+eksDir)
		n.options.Restart = true
		n.uninstall()
		if got := names(n.kubelet(ownProviders, eksDir, d.kubelet)); got != stockName {
			t.Errorf("the kubelet registers %s, want %s", got, stockName)
		}
		n.runKubelet("", "--image-credential-provider-config="+eksDir+"/config.json", "--image-credential-provider-bin-dir="+eksDir)
		n.uninstall()
		n.same(before)
	})
}

// TestFlagWithoutOthers: uninstall cannot remove a file that has only our entries while
// the kubelet's flag names it.
func TestFlagWithoutOthers(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		n, _ := disks["kubeadm"].withServices(t)
		n.install()
		installed := n.snapshot()
		err := n.Uninstall(t.Context(), Options{Restart: true})
		if err == nil || !strings.Contains(err.Error(), "remove the flag, restart the kubelet, and run uninstall again") {
			t.Errorf("uninstall: got %v, want it refused", err)
		}
		n.same(installed)
	})
}

// TestOtherKubelet: a kubelet that does not read our file does not prevent an
// uninstall.
func TestOtherKubelet(t *testing.T) {
	t.Parallel()
	n := disks["kubeadm"].node(t)
	before := n.snapshot()
	n.install()
	n.runKubelet("", "--image-credential-provider-config=/elsewhere", "--image-credential-provider-bin-dir=/opt")
	n.uninstall()
	n.same(before)
}

// TestRollbackOfPending: if no kubelet ever ran with the files of an earlier run, a
// failing restart also removes those files.
func TestRollbackOfPending(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		n, s := disks["AL2"].withServices(t)
		before := n.snapshot()
		n.options.Restart = false
		n.install()
		n.options.Restart = true
		s.broken = func() bool { return strings.Contains(n.read(eksDir+"/config.json"), pluginName) }
		err := n.Install(t.Context(), n.options)
		if err == nil || !strings.Contains(err.Error(), "the former files are back, and kubelet is healthy again") {
			t.Errorf("got %v, want an error that says the former files are back", err)
		}
		n.same(before)
	})
}

// TestUninstallElsewhere: uninstall refuses a restart where nothing controls services,
// such as on a disk that another machine mounts. It changes nothing.
func TestUninstallElsewhere(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		n, _ := disks["AL2"].withServices(t)
		n.install()
		installed := n.snapshot()
		n.Services, n.Proc = nil, ""
		err := n.Uninstall(t.Context(), Options{Restart: true})
		if err == nil || !strings.Contains(err.Error(), "--restart needs systemd on this machine") {
			t.Errorf("got %v, want an error that names systemd", err)
		}
		n.same(installed)
	})
}

// TestUninstallFromImage: uninstall restarts the kubelet of a node whose image already
// had the plugin.
func TestUninstallFromImage(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		n, s := disks["AL2"].withServices(t)
		before, booted := n.snapshot(), n.Installer
		n.Services, n.Proc, n.options.Restart = nil, "", false
		n.install()
		n.Installer, n.options.Restart = booted, true
		n.uninstall()
		n.same(before)
		if !slices.Contains(s.told, "restart kubelet") {
			t.Errorf("got the calls %q, want a restart", s.told)
		}
	})
}
