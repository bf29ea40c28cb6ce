package awsapi

import "os/exec" //nolint:depguard // see process.go

// inOwnGroup does nothing: Windows has no process groups to kill. WaitDelay limits
// the wait.
func inOwnGroup(*exec.Cmd) {}
