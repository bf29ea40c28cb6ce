package install

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
)

// idle is a systemd with a unit that does not run.
type idle struct{ *services }

func (idle) Status(context.Context, string) (Status, error) {
	return Status{State: "inactive"}, nil
}

// TestRestartable: install refuses a restart that would fail, or seem to fail, even
// without a change. It refuses before it changes anything. Uninstall does not need
// a healthy kubelet.
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
			t.Errorf("got the calls %q, want none", s.told)
		}
		sick = false
		before := n.snapshot()
		n.install()
		sick = true
		restarts := 0
		s.broken = func() bool { restarts++; sick = false; return false } // the kubelet recovers when the plugin is removed
		n.uninstall()
		n.same(before)
		if told := strings.Join(s.told, ", "); restarts != 1 {
			t.Errorf("uninstall: got %d restarts (%s), want 1", restarts, told)
		}
	})
}
