package procfs

import (
	"os"
	"slices"
	"strings"
)

// kubeletNames are the programs that are a kubelet or contain one.
var kubeletNames = []string{"kubelet", "k3s-server", "k3s-agent", "k3s", "rke2"}

// FindKubelet returns the running kubelet: a program with the name kubelet, or else a
// program that contains one. Programs with this process's root directory come first,
// because a container may run the kubelet of another node. FindKubelet reports false if
// there is none.
func (fs FS) FindKubelet() (Process, bool, error) {
	found, err := fs.Find(kubeletNames...)
	if err != nil || len(found) == 0 {
		return Process{}, false, err
	}
	if here := slices.DeleteFunc(slices.Clone(found), func(p Process) bool { return !p.SameRoot() }); len(here) > 0 {
		found = here
	}
	for _, p := range found {
		if p.Name == kubeletNames[0] {
			return p, true, nil
		}
	}
	return found[0], true, nil
}

// HasKubelet reports whether the program is not a kubelet itself but contains one, like
// k3s and RKE2.
func (p Process) HasKubelet() bool { return p.Name != kubeletNames[0] }

// KubeletFlag returns the value of a kubelet's flag. The flag may also be in k3s's
// --kubelet-arg.
func (p Process) KubeletFlag(name string) (value string, ok bool) {
	value, ok = p.Flag(name)
	for i, arg := range p.Args {
		passed, is := strings.CutPrefix(arg, "--kubelet-arg=")
		if arg == "--kubelet-arg" && i+1 < len(p.Args) {
			passed, is = p.Args[i+1], true
		}
		if rest, found := strings.CutPrefix(passed, name+"="); is && found {
			value, ok = rest, true
		}
	}
	return value, ok
}

// SameRoot reports whether the process has the same root directory as this process. A
// kubelet in a container belongs to another node. Only root can see the difference; for
// other users SameRoot reports true.
func (p Process) SameRoot() bool {
	theirs, err := os.Stat(p.Path("root"))
	if err != nil {
		return true
	}
	ours, err := os.Stat("/")
	return err != nil || os.SameFile(theirs, ours)
}
