package install

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
)

// idle is a systemd whose unit does not run.
type idle struct{ *services }

func (idle) Status(context.Context, string) (Status, error) {
	return Status{State: "inactive"}, nil
}

// TestRestartable: a restart that would fail, or seem to, whatever is installed is
// refused before anything is touched; but uninstall does not need a healthy kubelet.
func TestRestartable(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		n, s := disks["AL2"].withServices(t)
		n.Services = idle{s}
		n.refused("systemd's unit kubelet does not run, so another one runs the kubelet")
		n.Services = s
		sick := true
		n.Health = func(context.Context) error {
			if sick {
				return errors.New("no answer")
			}
			return nil
		}
		n.refused("the kubelet is not healthy before any change: no answer; repair it first")
		if len(s.told) > 0 {
			t.Errorf("systemd was told %q", s.told)
		}
		sick = false
		before := n.snapshot()
		n.install()
		sick = true
		restarts := 0
		s.broken = func() bool { restarts++; sick = false; return false } // as the plugin goes away
		n.uninstall()
		n.same(before)
		if told := strings.Join(s.told, ", "); restarts != 1 {
			t.Errorf("the kubelet was restarted %d times for uninstall: %s", restarts, told)
		}
	})
}
