//go:build unix

package config

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

const good = `apiVersion: ecr-cross-account-credential-provider/v1alpha1
kind: CrossAccountConfig
registries:
- accounts: [own]
`

func TestLoadMode(t *testing.T) {
	t.Parallel()
	tests := []struct {
		mode fs.FileMode
		want string
	}{
		{0o400, ""},
		{0o600, ""},
		{0o644, ""},
		{0o755, ""},
		{0o620, "writable by group or others (mode 0620); run: chmod go-w"},
		{0o664, "writable by group or others (mode 0664); run: chmod go-w"},
		{0o602, "writable by group or others (mode 0602); run: chmod go-w"},
		{0o666, "writable by group or others (mode 0666); run: chmod go-w"},
		{0o777, "writable by group or others (mode 0777); run: chmod go-w"},
	}
	for _, test := range tests {
		t.Run(fmt.Sprintf("%04o", test.mode), func(t *testing.T) {
			t.Parallel()
			file := writeMode(t, test.mode)
			checkProblem(t, file, test.want)
			// The mode of the file counts, not the mode of a link to it.
			name := filepath.Join(t.TempDir(), "link")
			if err := os.Symlink(file, name); err != nil {
				t.Fatal(err)
			}
			checkProblem(t, name, test.want)
		})
	}
}

// TestLoadUnreadable needs a user other than root, because root may read anything.
// As root, it checks only the message.
func TestLoadUnreadable(t *testing.T) {
	t.Parallel()
	const want = "cannot be read: permission denied"
	if os.Geteuid() == 0 {
		if got := describe(&fs.PathError{Op: "open", Path: "x", Err: syscall.EACCES}); got.Error() != want {
			t.Errorf("got %v, want %s", got, want)
		}
		return
	}
	checkProblem(t, writeMode(t, 0o200), want)
}

// TestLoadPipe: a pipe without a writer is an error, and does not delay a pod's
// start.
func TestLoadPipe(t *testing.T) {
	t.Parallel()
	pipe := filepath.Join(t.TempDir(), "pipe")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		checkProblem(t, pipe, "not a regular file")
	}()
	select {
	case <-done:
	case <-time.After(30 * time.Second):
		t.Fatal("got no result within 30s, want an error")
	}
}

func TestLoadSocket(t *testing.T) {
	t.Parallel()
	fd, err := syscall.Socket(syscall.AF_UNIX, syscall.SOCK_STREAM, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = syscall.Close(fd) })
	dir, err := os.MkdirTemp("", "s") // a socket's path must be short
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	socket := filepath.Join(dir, "s")
	if err := syscall.Bind(fd, &syscall.SockaddrUnix{Name: socket}); err != nil {
		t.Fatal(err)
	}
	checkProblem(t, socket, "not a regular file")
}

func TestLoadOwner(t *testing.T) {
	t.Parallel()
	if os.Geteuid() != 0 {
		t.Log("not root, so no file can get another owner; see TestCheckOwner")
		return
	}
	file := writeMode(t, 0o644)
	if err := os.Chown(file, 65534, -1); err != nil {
		t.Fatal(err)
	}
	checkProblem(t, file, "owned by user 65534, neither root nor the user that runs this program (0); run: chown root")
}

func TestCheckOwner(t *testing.T) {
	t.Parallel()
	self := os.Geteuid()
	tests := []struct {
		name string
		info fakeInfo
		want string
	}{
		{"self", fakeInfo{0o600, &syscall.Stat_t{Uid: uint32(self)}}, ""},
		{"root", fakeInfo{0o644, &syscall.Stat_t{Uid: 0}}, ""},
		{
			"another",
			fakeInfo{0o600, &syscall.Stat_t{Uid: 4242}},
			fmt.Sprintf("owned by user 4242, neither root nor the user that runs this program (%d); run: chown root", self),
		},
		{"the mode comes first", fakeInfo{0o606, &syscall.Stat_t{Uid: 4242}}, "writable by group or others (mode 0606); run: chmod go-w"},
		{"setuid does not matter", fakeInfo{0o644 | fs.ModeSetuid | fs.ModeSticky, &syscall.Stat_t{Uid: 0}}, ""},
		{"unknown owner", fakeInfo{0o600, nil}, ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			err := checkOwner(test.info)
			if got := text(err); got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

// fakeInfo is a file as checkOwner sees it.
type fakeInfo struct {
	mode fs.FileMode
	sys  any
}

func (i fakeInfo) Name() string       { return "config.yaml" }
func (i fakeInfo) Size() int64        { return 0 }
func (i fakeInfo) Mode() fs.FileMode  { return i.mode }
func (i fakeInfo) ModTime() time.Time { return time.Time{} }
func (i fakeInfo) IsDir() bool        { return false }
func (i fakeInfo) Sys() any           { return i.sys }

func TestDescribe(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		err  error
		want string
	}{
		{"a PathError", &fs.PathError{Op: "read", Path: "/secret", Err: syscall.EIO}, "cannot be read: input/output error"},
		{"another error", errors.New("odd"), "cannot be read: odd"},
		{"missing", &fs.PathError{Op: "stat", Path: "x", Err: syscall.ENOENT}, "not found"},
		{"not permitted", &fs.PathError{Op: "stat", Path: "x", Err: syscall.EPERM}, "cannot be read: permission denied"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			if got := describe(test.err).Error(); got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

func writeMode(t *testing.T, mode fs.FileMode) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "config.yaml")
	if err := os.WriteFile(file, []byte(good), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(file, mode); err != nil { // WriteFile's mode depends on the umask
		t.Fatal(err)
	}
	return file
}

// checkProblem checks that a file has only the wanted problem, or none if want is
// "".
func checkProblem(t *testing.T, file, want string) {
	t.Helper()
	_, err := Load(file, nil)
	if got := strings.TrimPrefix(text(err), file+": "); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func text(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}
