package main

import (
	"bufio"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// cgroup is the cgroup of a node's pods. It has the same name in each hierarchy.
// Outside of its namespaces, a node has nothing else on the machine.
type cgroup struct{ name string }

const cgroupPrefix = "ecr-node-e2e."

func newCgroup(id string) cgroup {
	return cgroup{fmt.Sprintf("%s%d.%s", cgroupPrefix, os.Getpid(), id)}
}

func (c cgroup) create() error {
	mounts, err := hierarchies()
	if err != nil {
		return err
	}
	for _, m := range mounts {
		if err := os.Mkdir(filepath.Join(m, c.name), 0o755); err != nil {
			return err
		}
	}
	return nil
}

// remove removes the cgroup. It waits for processes that were just killed, which may
// still be in it.
func (c cgroup) remove() error {
	mounts, err := hierarchies()
	if err != nil {
		return err
	}
	deadline := time.Now().Add(20 * time.Second)
	for {
		var errs []error
		for _, m := range mounts {
			errs = append(errs, removeTree(filepath.Join(m, c.name)))
		}
		if err = errors.Join(errs...); err == nil || time.Now().After(deadline) {
			return err
		}
		time.Sleep(50 * time.Millisecond)
	}
}

// removeTree removes directories, the innermost first. The kernel removes the files of
// a cgroup with its directory.
func removeTree(root string) error {
	var directories []string
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err == nil && entry.IsDir() {
			directories = append(directories, path)
		}
		return err
	})
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	for _, directory := range slices.Backward(directories) {
		if err := syscall.Rmdir(directory); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("removing cgroup %s: %w", directory, err)
		}
	}
	return nil
}

// removeAbandonedCgroups removes the cgroups of killed runs.
func removeAbandonedCgroups() {
	mounts, _ := hierarchies()
	for _, m := range mounts {
		left, _ := filepath.Glob(filepath.Join(m, cgroupPrefix+"*"))
		for _, directory := range left {
			pid, _, _ := strings.Cut(strings.TrimPrefix(filepath.Base(directory), cgroupPrefix), ".")
			if n, err := strconv.Atoi(pid); err == nil && errors.Is(syscall.Kill(n, 0), syscall.ESRCH) {
				_ = removeTree(directory)
			}
		}
	}
}

// hierarchies returns the directories where cgroups are mounted. Version 2 has one
// mount, and version 1 has one for each controller. A mixed setup has both.
func hierarchies() ([]string, error) {
	f, err := os.Open("/proc/self/mountinfo")
	if err != nil {
		return nil, err
	}
	defer f.Close() //nolint:errcheck // the file is only read
	var mounts []string
	for lines := bufio.NewScanner(f); lines.Scan(); {
		mount, kind, _ := strings.Cut(lines.Text(), " - ")
		if strings.HasPrefix(kind, "cgroup ") || strings.HasPrefix(kind, "cgroup2 ") {
			mounts = append(mounts, strings.Fields(mount)[4])
		}
	}
	if len(mounts) == 0 {
		return nil, errors.New("no cgroups are mounted; the kubelet needs them")
	}
	return mounts, nil
}
