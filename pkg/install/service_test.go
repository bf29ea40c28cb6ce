package install

import (
	"context"
	"slices"
	"testing"
	"testing/synctest"
)

// rke2 is a systemd whose rke2-agent never runs. Its rke2-server runs if it has a
// process.
type rke2 struct{ *services }

func (s rke2) Status(ctx context.Context, unit string) (Status, error) {
	if unit == "rke2-agent" || s.pid == 0 {
		return Status{State: "inactive"}, nil
	}
	return s.services.Status(ctx, unit)
}

// TestServerOfRKE2: a server node has the units of the agent and of the server, and the
// start of the agent would stop the server. So --restart takes the one that runs, or else
// the one that is enabled.
func TestServerOfRKE2(t *testing.T) {
	t.Parallel()
	for name, prepare := range map[string]func(*testNode, *services){
		"it runs": func(_ *testNode, s *services) { s.pid = 1 },
		"it is enabled": func(n *testNode, _ *services) {
			n.Proc = ""
			n.write("/etc/systemd/system/multi-user.target.wants/rke2-server.service", "")
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				n, s := disks["RKE2"].withServices(t)
				n.Services = rke2{s}
				for _, unit := range []string{"rke2-agent", "rke2-server"} {
					n.write("/usr/local/lib/systemd/system/"+unit+".service", "[Service]\n")
				}
				prepare(n, s)
				before := n.snapshot()
				n.install()
				n.uninstall()
				n.same(before)
				if slices.Contains(s.told, "restart rke2-agent") || !slices.Contains(s.told, "restart rke2-server") {
					t.Errorf("got the calls %q, want restarts of rke2-server alone", s.told)
				}
			})
		})
	}
}

// TestUnitInUsrLocal: a unit below /usr/local/lib exists, too, and its environment counts.
func TestUnitInUsrLocal(t *testing.T) {
	t.Parallel()
	n := disks["RKE2"].node(t)
	n.Services = idle{new(services)}
	n.write("/usr/local/lib/systemd/system/rke2-server.service", "[Service]\nEnvironment=AWS_REGION=eu-west-1\n")
	p, err := n.planInstall(t.Context(), n.options)
	if err != nil {
		t.Fatal(err)
	}
	if p.service != "rke2-server" || !slices.Equal(p.node.environ, []string{"AWS_REGION=eu-west-1"}) {
		t.Errorf("got the unit %s with %q, want rke2-server with AWS_REGION", p.service, p.node.environ)
	}
}
