//go:build unix

package awsapi

import (
	"os/exec" //nolint:depguard // see process.go
	"syscall"
)

// inOwnGroup makes Cancel kill the command and its children.
func inOwnGroup(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
}
