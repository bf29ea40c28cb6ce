package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// toolConfigPath is the configuration that install gets.
const toolConfigPath = nodeDir + "/config.yaml"

// toolRoot is a root directory that only this node uses, with everything that is on the
// node. Install locks the root directory, and all nodes share that of the machine.
const toolRoot = nodeDir + "/root"

func makeToolRoot() error {
	if err := os.MkdirAll(toolRoot, 0o755); err != nil {
		return err
	}
	entries, err := os.ReadDir("/")
	if err != nil {
		return err
	}
	for _, entry := range entries {
		path, at := "/"+entry.Name(), filepath.Join(toolRoot, entry.Name())
		switch {
		case entry.Type()&fs.ModeSymlink != 0:
			target, err := os.Readlink(path)
			if err == nil {
				err = os.Symlink(target, at)
			}
			if err != nil {
				return err
			}
		case entry.IsDir():
			if err := errors.Join(os.MkdirAll(at, 0o755), mount(path, at, "", unix.MS_BIND|unix.MS_REC, "")); err != nil {
				return err
			}
		}
	}
	return nil
}

// Tool runs the operator's tool, as root on the node would. It returns what the tool
// prints on both streams. It fails if the exit status is not the given one.
func (n *Node) Tool(ctx context.Context, status int, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, filepath.Join(binDir, "ecr-cross-account"), args...)
	var said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &said, &said
	cmd.SysProcAttr = &syscall.SysProcAttr{Chroot: toolRoot}
	cmd.Env = []string{"PATH=" + systemdDir + ":" + os.Getenv("PATH")}
	err := cmd.Run()
	if got := cmd.ProcessState.ExitCode(); got != status {
		return "", errors.Join(fmt.Errorf("%s: got status %d, want %d: %s", strings.Join(args, " "), got, status, said.String()), err, context.Cause(ctx))
	}
	return said.String(), nil
}

// Systemctl runs systemctl, as root on the node would.
func (n *Node) Systemctl(ctx context.Context, args ...string) error {
	out, err := exec.CommandContext(ctx, filepath.Join(systemdDir, "systemctl"), args...).CombinedOutput()
	if err != nil {
		err = fmt.Errorf("systemctl %s: %w: %s", strings.Join(args, " "), err, out)
	}
	return err
}

// InstallBy installs the plugin with the tool and a configuration. It returns what the
// tool prints.
func (n *Node) InstallBy(ctx context.Context, status int, config string, args ...string) (string, error) {
	if err := writeFile(toolConfigPath, configHead+config, 0o644); err != nil {
		return "", err
	}
	return n.Tool(ctx, status, append([]string{"install", "--platform=generic", "--config=" + toolConfigPath}, args...)...)
}

// Refresh runs the command of the unit that install wrote, with the unit's environment,
// as systemd would. It returns what the command prints.
func (n *Node) Refresh(ctx context.Context) (string, error) {
	unit, err := os.ReadFile(filepath.Join(unitsDir, "ecr-cross-account-refresh.service"))
	if err != nil {
		return "", err
	}
	var command, env []string
	for line := range strings.Lines(string(unit)) {
		switch key, value, _ := strings.Cut(strings.TrimSpace(line), "="); key {
		case "ExecStart":
			command = strings.Fields(value)
		case "Environment":
			env = append(env, strings.Trim(value, `"`))
		}
	}
	if len(command) == 0 {
		return "", fmt.Errorf("no ExecStart= in %s", unit)
	}
	cmd := exec.CommandContext(ctx, command[0], command[1:]...)
	cmd.Env = env
	out, err := cmd.CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("%s: %w: %s", strings.Join(command, " "), err, out)
	}
	return string(out), nil
}

// says returns err. If err is nil, it returns an error unless the output of a program
// contains all of the texts.
func says(out string, err error, texts ...string) error {
	for _, text := range texts {
		if err == nil && !strings.Contains(out, text) {
			err = fmt.Errorf("the tool does not print %q: %s", text, out)
		}
	}
	return err
}
