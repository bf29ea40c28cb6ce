package cache

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// ownMounts gives a child a namespace with its own mounts. The child is root in it.
func ownMounts(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags:  syscall.CLONE_NEWUSER | syscall.CLONE_NEWNS,
		UidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Geteuid(), Size: 1}},
		GidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getegid(), Size: 1}},
	}
}

// TestFullDisk fills a tmpfs, like that of the default directory. If the system
// does not allow the mount, only TestLimited and TestReadOnly test this.
func TestFullDisk(t *testing.T) {
	t.Parallel()
	if err := exec.CommandContext(t.Context(), "/proc/self/exe", "-test.run=^$").Run(); err != nil {
		t.Fatal(err)
	}
	probe := exec.CommandContext(t.Context(), "/proc/self/exe", "-test.run=^$")
	ownMounts(probe)
	if err := probe.Run(); err != nil {
		t.Log("the system allows no namespaces:", err)
		return
	}
	c := startChild(t, "full", tempDir(t), ownMounts)
	var said []string
	for c.out.Scan() {
		said = append(said, c.out.Text())
	}
	if len(said) == 1 && strings.HasPrefix(said[0], "no mount: ") {
		t.Log(said[0])
		return
	}
	const full = "no space left on device"
	want := []string{
		"warned: the cache's entry for " + request.Registry + " is not written: " + full, "minted", "left 0",
		"read-only",
		"warned: asking for " + request.Registry + " without the cache's lock: it cannot be opened: read-only file system",
		"warned: the cache's entry for " + request.Registry + " is not written: read-only file system", "minted", "left 0",
		"off: the cache is off: mkdir /other: read-only file system; correct that, or name another directory",
	}
	if got, want := strings.Join(said, "\n"), strings.Join(want, "\n"); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

// fullChild pulls on a full disk, and on a read-only one.
func fullChild(dir string) error {
	if err := os.Mkdir("disk", 0o700); err != nil {
		return err
	}
	disk, err := filepath.Abs("disk")
	if err != nil {
		return err
	}
	if err := syscall.Mount("tmpfs", disk, "tmpfs", 0, "size=16k,mode=0755"); err != nil {
		fmt.Println("no mount:", err)
		return nil
	}
	// The disk becomes the root directory, because the namespace's user does not
	// own the real one.
	if err := errors.Join(syscall.Chroot(disk), os.Chdir("/")); err != nil {
		return err
	}
	s, err := openChild("/" + dir)
	if err != nil {
		return err
	}
	filler := "/filler"
	if err := os.WriteFile(filler, make([]byte, 1<<20), 0o600); !errors.Is(err, syscall.ENOSPC) {
		return fmt.Errorf("not full: %w", err)
	}
	if err := pullUnwritable(s); err != nil {
		return err
	}
	if err := os.Remove(filler); err != nil {
		return err
	}
	fmt.Println("read-only")
	if err := syscall.Mount("", "/", "", syscall.MS_REMOUNT|syscall.MS_RDONLY, "size=16k"); err != nil {
		return err
	}
	if err := pullUnwritable(s); err != nil {
		return err
	}
	_, err = openChild("/other")
	fmt.Println("off:", err)
	return nil
}
