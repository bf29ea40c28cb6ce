//go:build unix

package awsapi

import (
	"os/exec" //nolint:depguard // see process.go
	"syscall"
)

// endWithGroup puts the command into a process group of its own, which is killed
// where the command is.
func endWithGroup(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
}
