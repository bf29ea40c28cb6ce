package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"time"
)

// process is a daemon of the node. Its output goes to a file.
type process struct {
	name  string
	cmd   *exec.Cmd
	ended chan struct{} // closed when the process has ended
}

func logOf(name string) string { return filepath.Join(logsDir, name+".log") }

func start(name, path string, args ...string) (*process, error) {
	out, err := os.OpenFile(logOf(name), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	defer out.Close() //nolint:errcheck // the daemon has its own descriptor
	p := &process{name: name, cmd: exec.Command(path, args...), ended: make(chan struct{})}
	p.cmd.Stdout, p.cmd.Stderr = out, out
	if err := p.cmd.Start(); err != nil {
		return nil, err
	}
	go func() {
		_ = p.cmd.Wait()
		close(p.ended)
	}()
	return p, nil
}

// errEnded is the error for a daemon that ended too early. poll then stops waiting,
// and returns this error.
var errEnded = errors.New("the process has ended")

// orEnded returns err. If err is not nil and the daemon has ended, it returns errEnded
// instead.
func (p *process) orEnded(err error) error {
	select {
	case <-p.ended:
		if err != nil {
			return fmt.Errorf("%s: %w: %s", p.name, errEnded, p.cmd.ProcessState)
		}
	default:
	}
	return err
}

// poll waits until condition returns nil. If that never happens, the error has
// condition's last error.
func poll(ctx context.Context, what string, condition func() error) error {
	ticker := time.NewTicker(100 * time.Millisecond)
	defer ticker.Stop()
	for {
		err := condition()
		if err == nil || errors.Is(err, errEnded) {
			return err
		}
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return fmt.Errorf("waiting until %s: %w: %w", what, context.Cause(ctx), err)
		}
	}
}
