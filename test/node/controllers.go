package main

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// enableControllers enables all controllers for the cgroups below the root of version 2,
// because the kubelet requires some of them. It returns a function that undoes this. In
// version 1 it does nothing.
func enableControllers() (restore func(), err error) {
	const root = "/sys/fs/cgroup"
	there, err := os.ReadFile(filepath.Join(root, "cgroup.controllers"))
	if errors.Is(err, fs.ErrNotExist) {
		return func() {}, nil
	}
	if err != nil {
		return nil, err
	}
	switches := filepath.Join(root, "cgroup.subtree_control")
	on, err := os.ReadFile(switches)
	if err != nil {
		return nil, err
	}
	off := slices.DeleteFunc(strings.Fields(string(there)), func(c string) bool {
		return slices.Contains(strings.Fields(string(on)), c)
	})
	if err := switchAll(switches, "+", off); err != nil {
		return nil, err
	}
	return func() { _ = switchAll(switches, "-", off) }, nil
}

func switchAll(path, sign string, controllers []string) error {
	for _, c := range controllers {
		if err := os.WriteFile(path, []byte(sign+c), 0o644); err != nil {
			return err
		}
	}
	return nil
}
