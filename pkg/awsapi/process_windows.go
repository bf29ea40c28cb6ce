package awsapi

import "os/exec" //nolint:depguard // see process.go

// endWithGroup: Windows has no process groups to kill; WaitDelay bounds the wait.
func endWithGroup(*exec.Cmd) {}
