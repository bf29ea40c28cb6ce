package install

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"ecr-cross-account-credential-provider/pkg/printable"
)

const (
	// steady is the time for which a kubelet must stay active. If a kubelet cannot
	// start, systemd restarts it again and again, and it is active for a short time
	// after each start.
	steady = 20 * time.Second
	// patience limits the wait for a healthy kubelet.
	patience = 2 * time.Minute
	interval = time.Second
)

// restartable returns an error if a restart of the running kubelet would fail, or seem
// to fail, even without a change. An unhealthy kubelet does not prevent an uninstall.
func (i *Installer) restartable(ctx context.Context, p *plan) error {
	if !p.node.running {
		return nil
	}
	status, err := i.Services.Status(ctx, p.service)
	switch {
	case err != nil:
		return err
	case status.State == "inactive":
		return fmt.Errorf("systemd's unit %s does not run, so another one runs the kubelet; "+
			"run this without --restart, and restart the kubelet by hand", p.service)
	case p.uninstall:
		return nil
	}
	if err := i.Health(ctx); err != nil {
		return fmt.Errorf("the kubelet is not healthy before any change: %w; repair it first, "+
			"or, if it answers elsewhere (healthzPort), install without --restart and restart it by hand", err)
	}
	return nil
}

// restart restarts the kubelet. If the kubelet does not become healthy, restart
// restores the former files and restarts it once more. The error says why.
func (i *Installer) restart(ctx context.Context, p *plan) error {
	if err := i.say("restarting %s, and watching it for %s", p.service, steady); err != nil {
		return err
	}
	cause := i.restartHealthy(ctx, p.service)
	if cause == nil {
		return nil
	}
	reason := i.reason(ctx, p.service)
	_ = i.say("%s is not healthy; restoring the former files, which takes about %s", p.service, steady) // they matter more than the message
	// If the operator interrupts while the kubelet is down, the former files are still
	// restored.
	ctx = context.WithoutCancel(ctx)
	problems := []error{i.stopTimers(ctx, reversed(p.first)), p.node.disk.undo(p.first), p.writeBack(), i.reload(ctx)}
	undone := p.allUndone()
	err := fmt.Errorf("%s is not healthy after the change: %w%s; the former files are back", p.service, cause, reason)
	if !undone {
		err = fmt.Errorf("%s is not healthy after the change: %w%s; restoring the former files failed; repair that, and run uninstall", p.service, cause, reason)
	}
	err = withCleanup(err, problems...)
	again := i.restartHealthy(ctx, p.service)
	if again != nil && undone && p.before.Pending && !p.uninstall {
		// The files of earlier runs may be bad, too, because no kubelet has run with them yet.
		err = withCleanup(err, i.takeBack(ctx, p))
		again = i.restartHealthy(ctx, p.service)
	}
	if again != nil {
		return fmt.Errorf("%w, but %s is still not healthy: %w%s", err, p.service, again, i.reason(ctx, p.service))
	}
	return fmt.Errorf("%w, and %s is healthy again", err, p.service)
}

// takeBack restores the files from before the first run.
func (i *Installer) takeBack(ctx context.Context, p *plan) error {
	d := p.node.disk
	var back []change
	for _, r := range slices.Backward(p.before.Files) {
		c, err := d.undone(r)
		if err != nil {
			return err
		}
		back = append(back, c)
	}
	if err := errors.Join(i.stopTimers(ctx, back), d.perform(back, nil)); err != nil {
		return err
	}
	return errors.Join(d.forget(p.before), i.reload(ctx))
}

// reversed returns the changes that would undo the given ones.
func reversed(changes []change) (back []change) {
	for _, c := range slices.Backward(changes) {
		back = append(back, change{path: c.path, old: c.new, new: c.old})
	}
	return back
}

// restartHealthy restarts a unit, and waits until its kubelet is healthy.
func (i *Installer) restartHealthy(ctx context.Context, unit string) error {
	if err := i.Services.Restart(ctx, unit); err != nil {
		return err
	}
	return i.healthy(ctx, unit)
}

// healthy waits until the unit has been active for a while with the same process, and
// the kubelet reports that it is healthy.
func (i *Installer) healthy(ctx context.Context, unit string) error {
	ctx, cancel := context.WithTimeoutCause(ctx, patience, fmt.Errorf("it did not become healthy within %s", patience))
	defer cancel()
	ticker := time.NewTicker(interval)
	defer ticker.Stop()
	var pid int
	var unhealthy error
	for active := time.Duration(0); ; {
		status, err := i.Services.Status(ctx, unit)
		switch {
		case err != nil:
			return err
		case status.State == "failed", pid != 0 && (status.State != "active" || status.PID != pid):
			return fmt.Errorf("it ended after its start (%s)", status.State)
		case status.State == "active":
			pid, active = status.PID, active+interval
		}
		if active > steady {
			if unhealthy = i.Health(ctx); unhealthy == nil {
				return nil
			}
		}
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return errors.Join(context.Cause(ctx), unhealthy)
		}
	}
}

// fatal are phrases in the last line that a kubelet logs before it ends. The first one
// is general, the second one means a provider that cannot run, and the third one is for
// k3s and RKE2. systemd's own lines follow that line.
var fatal = []string{`"command failed"`, "Failed to register CRI auth plugins", "level=fatal"}

// reason returns the reason for the kubelet's end from its own log.
func (i *Installer) reason(ctx context.Context, unit string) string {
	log, err := i.Services.Log(context.WithoutCancel(ctx), unit)
	if err != nil {
		return fmt.Sprintf("; its log cannot be read: %v", err)
	}
	var last, problem string
	for line := range strings.Lines(log) {
		line = strings.TrimSpace(line)
		switch {
		case slices.ContainsFunc(fatal, func(phrase string) bool { return strings.Contains(line, phrase) }):
			problem = line
		case line != "":
			last = line
		}
	}
	if problem == "" {
		problem = last
	}
	if problem == "" {
		return "; its log is empty"
	}
	return "; its log: " + printable.Line(problem, 1000)
}
