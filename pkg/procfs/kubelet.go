package procfs

import "strings"

// kubeletNames are the programs that are a kubelet, or have one inside.
var kubeletNames = []string{"kubelet", "k3s-server", "k3s-agent", "k3s", "rke2"}

// FindKubelet returns the running kubelet: the program of this name, else one that has
// a kubelet inside. It reports false if there is none.
func (fs FS) FindKubelet() (Process, bool, error) {
	found, err := fs.Find(kubeletNames...)
	if err != nil || len(found) == 0 {
		return Process{}, false, err
	}
	for _, p := range found {
		if p.Name == kubeletNames[0] {
			return p, true, nil
		}
	}
	return found[0], true, nil
}

// HasKubelet reports whether a kubelet is inside the program, as in k3s and RKE2.
func (p Process) HasKubelet() bool { return p.Name != kubeletNames[0] }

// KubeletFlag returns the value of a kubelet's flag, also of one that k3s passes on.
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
