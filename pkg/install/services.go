package install

import (
	"context"
	"fmt"
	"strconv"
	"strings"
)

// Services controls the services of a node.
type Services interface {
	// Reload makes systemd read changed units.
	Reload(ctx context.Context) error
	// Start does not wait until the units have started. Stop waits until they have
	// stopped.
	Start(ctx context.Context, units ...string) error
	Stop(ctx context.Context, units ...string) error
	Restart(ctx context.Context, unit string) error
	Status(ctx context.Context, unit string) (Status, error)
	// Log returns the latest lines of a unit's log.
	Log(ctx context.Context, unit string) (string, error)
}

// Status is the state of a unit.
type Status struct {
	// State is active, activating, failed or another word of systemd.
	State string
	// PID is the ID of the main process, or 0 if there is none.
	PID int
}

// Systemd implements Services for a node with systemd. Execute runs the programs.
type Systemd struct {
	Execute func(ctx context.Context, name string, args ...string) (string, error)
}

// Reload runs systemctl daemon-reload.
func (s Systemd) Reload(ctx context.Context) error { return s.run(ctx, "daemon-reload") }

// Start runs systemctl start.
func (s Systemd) Start(ctx context.Context, units ...string) error {
	return s.run(ctx, append([]string{"start", "--no-block"}, units...)...)
}

// Stop runs systemctl stop.
func (s Systemd) Stop(ctx context.Context, units ...string) error {
	return s.run(ctx, append([]string{"stop"}, units...)...)
}

// Restart runs systemctl restart. Before that it runs reset-failed, because systemd
// does not start a unit that has failed too often.
func (s Systemd) Restart(ctx context.Context, unit string) error {
	_ = s.run(ctx, "reset-failed", unit) // it fails only if the unit is not loaded, and then there is no failure to reset
	return s.run(ctx, "restart", unit)
}

// Status runs systemctl show.
func (s Systemd) Status(ctx context.Context, unit string) (Status, error) {
	out, err := s.Execute(ctx, "systemctl", "show", "--property=ActiveState,MainPID", unit)
	if err != nil {
		return Status{}, fmt.Errorf("systemctl show %s: %w", unit, err)
	}
	var status Status
	for line := range strings.Lines(out) {
		key, value, _ := strings.Cut(strings.TrimSpace(line), "=")
		switch key {
		case "ActiveState":
			status.State = value
		case "MainPID":
			if status.PID, err = strconv.Atoi(value); err != nil {
				return status, fmt.Errorf("systemctl show %s: the main process is %q", unit, value)
			}
		}
	}
	return status, nil
}

// Log runs journalctl.
func (s Systemd) Log(ctx context.Context, unit string) (string, error) {
	return s.Execute(ctx, "journalctl", "--unit="+unit, "--lines=200", "--output=cat", "--no-pager")
}

func (s Systemd) run(ctx context.Context, args ...string) error {
	out, err := s.Execute(ctx, "systemctl", args...)
	if err != nil {
		return fmt.Errorf("systemctl %s: %w %s", strings.Join(args, " "), err, strings.TrimSpace(out))
	}
	return nil
}
