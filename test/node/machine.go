package main

import (
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

// These are the paths, the name and the address of a node. binDir and repositoryDir are
// read-only mounts of the machine's directories. No other path is on its disks.
const (
	nodeDir       = "/run/node"
	binDir        = nodeDir + "/bin"        // the directory bin of the repository
	repositoryDir = nodeDir + "/repository" // the repository itself
	providersDir  = nodeDir + "/providers"  // the programs that the kubelet runs
	pluginsDir    = nodeDir + "/plugins"    // the programs that the witness runs
	logsDir       = nodeDir + "/logs"
	configPath    = "/etc/ecr-cross-account-credential-provider/config.yaml"
	nodeName      = "node"
	nodeAddress   = "10.0.0.10" // the kubelet accepts no loopback address as its own
)

// becomeMachine turns the namespaces of this process into a machine with its own mounts
// and network. Its disk is read-only, except where a node writes. directories maps
// paths on the new machine to directories of the old one.
func becomeMachine(directories map[string]string) error {
	// A mount may hide a directory, but an open descriptor still reaches it.
	open := map[string]int{}
	for place, directory := range directories {
		fd, err := unix.Open(directory, unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
		if err != nil {
			return fmt.Errorf("opening %s: %w", directory, err)
		}
		defer unix.Close(fd) //nolint:errcheck // opened only as a path
		open[place] = fd
	}
	for _, step := range []func() error{
		func() error { return mount("", "/", "", unix.MS_PRIVATE|unix.MS_REC, "") },
		func() error { return mount("proc", "/proc", "proc", 0, "") },
		mountMemory,
		func() error { return mountDirectories(open) },
		mountLayers,
		writeEtc,
		func() error { return mount("", "/", "", unix.MS_REMOUNT|unix.MS_BIND|unix.MS_RDONLY, "") },
		protectKernel,
		func() error { return unix.Sethostname([]byte(nodeName)) },
		bringLoopbackUp,
	} {
		if err := step(); err != nil {
			return err
		}
	}
	return nil
}

// mountDirectories mounts open directories at their paths, read-only.
func mountDirectories(open map[string]int) error {
	for place, fd := range open {
		if err := mount(fmt.Sprintf("/proc/self/fd/%d", fd), place, "", unix.MS_BIND, ""); err != nil {
			return err
		}
		if err := mount("", place, "", unix.MS_REMOUNT|unix.MS_BIND|unix.MS_RDONLY, ""); err != nil {
			return err
		}
	}
	return nil
}

func mount(source, target, kind string, flags uintptr, data string) error {
	if err := unix.Mount(source, target, kind, flags, data); err != nil {
		return fmt.Errorf("mounting %s on %s: %w", kind, target, err)
	}
	return nil
}

// mountMemory mounts memory where a node writes.
func mountMemory() error {
	for _, dir := range []string{"/run", "/tmp", "/var/lib", "/var/log"} {
		if err := mount("tmpfs", dir, "tmpfs", 0, "mode=0755"); err != nil {
			return err
		}
	}
	for _, dir := range []string{binDir, repositoryDir, providersDir, pluginsDir, logsDir} {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return err
		}
	}
	return nil
}

// mountLayers keeps changes of these directories within the node.
func mountLayers() error {
	for _, dir := range []string{"/etc", "/usr/local/bin"} {
		upper := filepath.Join(nodeDir, "layers", dir)
		for _, layer := range []string{upper, upper + "-work"} {
			if err := os.MkdirAll(layer, 0o755); err != nil {
				return err
			}
		}
		if err := mount("overlay", dir, "overlay", 0, fmt.Sprintf("lowerdir=%s,upperdir=%[2]s,workdir=%[2]s-work", dir, upper)); err != nil {
			return err
		}
	}
	return nil
}

// writeEtc writes the files in /etc that tell the node about its surroundings.
func writeEtc() error {
	hosts := []string{"127.0.0.1 localhost", nodeAddress + " " + nodeName}
	for _, at := range addresses {
		hosts = append(hosts, at.address+" "+strings.Join(at.hosts, " "))
	}
	for name, text := range map[string]string{
		"hosts":         strings.Join(hosts, "\n") + "\n",
		"resolv.conf":   "",
		"nsswitch.conf": "hosts: files\n",
	} {
		path := filepath.Join("/etc", name)
		if err := os.Remove(path); err != nil && !os.IsNotExist(err) {
			return err
		}
		if err := writeFile(path, text, 0o644); err != nil {
			return err
		}
	}
	return nil
}

// kernelFlags are the kernel's settings that a kubelet changes for the whole
// machine if they differ (setupKernelTunables in pkg/kubelet/cm).
var kernelFlags = map[string]string{
	"vm/overcommit_memory": "1", "vm/panic_on_oom": "0", "kernel/panic": "10", "kernel/panic_on_oops": "1",
	"kernel/keys/root_maxkeys": "1000000", "kernel/keys/root_maxbytes": "25000000",
}

// protectKernel leaves the machine's kernel unchanged, and shows the kubelet the
// settings that it requires.
func protectKernel() error {
	const sys = "/proc/sys"
	if err := mount(sys, sys, "", unix.MS_BIND, ""); err != nil {
		return err
	}
	if err := mount("", sys, "", unix.MS_REMOUNT|unix.MS_BIND|unix.MS_RDONLY, ""); err != nil {
		return err
	}
	for flag, value := range kernelFlags {
		shown := filepath.Join(nodeDir, "kernel", flag)
		if err := writeFile(shown, value+"\n", 0o444); err != nil {
			return err
		}
		if err := mount(shown, filepath.Join(sys, flag), "", unix.MS_BIND, ""); err != nil {
			return err
		}
	}
	return nil
}

// bringLoopbackUp gives the only interface the addresses of a node: its own, and that
// of the metadata service.
func bringLoopbackUp() error {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer unix.Close(fd) //nolint:errcheck // the socket is only used for ioctl
	up, err := unix.NewIfreq("lo")
	if err != nil {
		return err
	}
	up.SetUint16(unix.IFF_UP | unix.IFF_RUNNING)
	if err := unix.IoctlIfreq(fd, unix.SIOCSIFFLAGS, up); err != nil {
		return fmt.Errorf("bringing lo up: %w", err)
	}
	for i, address := range []string{nodeAddress, metadataAddress} {
		alias, err := unix.NewIfreq(fmt.Sprintf("lo:%d", i))
		if err != nil {
			return err
		}
		bytes := netip.MustParseAddr(address).As4()
		if err := alias.SetInet4Addr(bytes[:]); err != nil {
			return err
		}
		if err := unix.IoctlIfreq(fd, unix.SIOCSIFADDR, alias); err != nil {
			return fmt.Errorf("adding %s to lo: %w", address, err)
		}
	}
	return nil
}

func writeFile(path, text string, mode os.FileMode) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	if err := os.WriteFile(path, []byte(text), mode); err != nil {
		return err
	}
	return os.Chmod(path, mode) // for any umask
}
