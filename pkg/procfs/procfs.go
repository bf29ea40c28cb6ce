// Package procfs finds running programs in /proc.
package procfs

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

// FS is a directory such as /proc.
type FS string

// Process is a running program.
type Process struct {
	PID int
	// Name is the program's name, cut to 15 bytes.
	Name string
	// Args are its arguments. The first one is the program's own name.
	Args []string

	fs FS
}

// maxFile is more than the kernel allows for arguments or an environment by default.
const maxFile = 4 << 20

// Find returns the processes with the given names, in the order of their numbers.
// It leaves out processes that end meanwhile, and those of pods.
func (fs FS) Find(names ...string) ([]Process, error) {
	entries, err := os.ReadDir(string(fs))
	if err != nil {
		return nil, err
	}
	var found []Process
	for _, entry := range entries {
		pid, err := strconv.Atoi(entry.Name())
		if err != nil {
			continue
		}
		p := Process{PID: pid, fs: fs}
		comm, err := p.read("comm")
		if p.Name = strings.TrimSpace(string(comm)); err != nil || !slices.Contains(names, p.Name) {
			continue
		}
		cmdline, err := p.read("cmdline")
		if err != nil || len(cmdline) == 0 { // a kernel thread, or a process that has ended
			continue
		}
		p.Args = list(cmdline)
		if p.inPod() {
			continue // the pod's author chose its name and its environment
		}
		found = append(found, p)
	}
	slices.SortFunc(found, func(a, b Process) int { return a.PID - b.PID })
	return found, nil
}

// inPod reports whether a kubelet started the process for a pod. The name of such a
// process's cgroup contains kubepods (kubelet, --cgroups-per-qos). This program itself may
// run in a pod that has the node's root directory.
func (p Process) inPod() bool {
	cgroup, err := p.read("cgroup")
	return err == nil && bytes.Contains(cgroup, []byte("kubepods")) && !p.SameRoot()
}

// list splits texts that end in zero bytes.
func list(data []byte) []string {
	var all []string
	for _, item := range bytes.Split(bytes.TrimSuffix(data, []byte{0}), []byte{0}) {
		all = append(all, string(item))
	}
	return all
}

// Flag returns the value of a flag, --NAME=VALUE or --NAME VALUE. The last occurrence
// counts, as it does for the kubelet.
func (p Process) Flag(name string) (value string, ok bool) {
	for i, arg := range p.Args {
		if rest, found := strings.CutPrefix(arg, "--"+name); found {
			switch {
			case strings.HasPrefix(rest, "="):
				value, ok = rest[1:], true
			case rest == "" && i+1 < len(p.Args):
				value, ok = p.Args[i+1], true
			}
		}
	}
	return value, ok
}

// Environ returns the environment with which the process was started, NAME=VALUE.
// Only root and the process's user may read it.
func (p Process) Environ() ([]string, error) {
	data, err := p.read("environ")
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(list(data), func(v string) bool { return !strings.Contains(v, "=") }), nil
}

// Path returns the path of a file or directory of the process, such as root or exe.
func (p Process) Path(name string) string {
	return filepath.Join(string(p.fs), strconv.Itoa(p.PID), name)
}

// ticks is the number of time units per second in /proc/PID/stat (USER_HZ). It is the
// same on every Linux that Go supports.
const ticks = 100

// Started returns when the process was started.
func (p Process) Started() (time.Time, error) {
	stat, err := p.read("stat")
	if err != nil {
		return time.Time{}, err
	}
	// The second field is the program's name in parentheses. It may contain any
	// characters.
	fields := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:]))
	const start = 22 - 3 // counted from the third field
	if len(fields) <= start {
		return time.Time{}, fmt.Errorf("%s has too few fields", p.Path("stat"))
	}
	since, err := strconv.ParseInt(fields[start], 10, 64)
	if err != nil {
		return time.Time{}, fmt.Errorf("%s: %w", p.Path("stat"), err)
	}
	boot, err := p.fs.boot()
	return boot.Add(time.Duration(since) * (time.Second / ticks)), err
}

// boot returns when the system was booted.
func (fs FS) boot() (time.Time, error) {
	path := filepath.Join(string(fs), "stat")
	data, err := os.ReadFile(path) //nolint:gosec // a file of the kernel
	if err != nil {
		return time.Time{}, err
	}
	for line := range strings.Lines(string(data)) {
		if rest, ok := strings.CutPrefix(line, "btime "); ok {
			seconds, err := strconv.ParseInt(strings.TrimSpace(rest), 10, 64)
			return time.Unix(seconds, 0), err
		}
	}
	return time.Time{}, fmt.Errorf("%s has no btime", path)
}

// read reads a file of the process.
func (p Process) read(name string) ([]byte, error) {
	data, err := os.ReadFile(p.Path(name))
	if err == nil && len(data) > maxFile {
		err = errors.New(p.Path(name) + " is too large")
	}
	return data, err
}
