//go:build linux

package attacks_test

import (
	"bytes"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"

	"ecr-cross-account-credential-provider/test/fakeaws"
)

func formatInt(i uint64) string { return strconv.FormatUint(i, 10) }

// closedPipe returns the writing end of a pipe whose reader is gone.
func closedPipe(t testing.TB) *os.File {
	t.Helper()
	reader, writer, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = writer.Close() })
	if err := reader.Close(); err != nil {
		t.Fatal(err)
	}
	return writer
}

func open(t testing.TB, path string, flag int) *os.File {
	t.Helper()
	f, err := os.OpenFile(path, flag, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = f.Close() })
	return f
}

// TestStdout: a response that does not reach the kubelet is a failure with a cause.
func TestStdout(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		stdout func(t testing.TB) *os.File
		says   string
	}{
		"closed pipe": {closedPipe, "writing the response to stdout: "},
		"no reader":   {func(t testing.TB) *os.File { return fullPipe(t) }, "does anybody read stdout?"},
		"full disk":   {func(t testing.TB) *os.File { return open(t, "/dev/full", os.O_WRONLY) }, "writing the response to stdout: "},
		"read only":   {func(t testing.TB) *os.File { return open(t, "/dev/null", os.O_RDONLY) }, "writing the response to stdout: "},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			n := newNode(t, assume+map[bool]string{true: "deadline: 10s\n"}[name == "no reader"])
			n.want(n.pull(image), outcome{}) // the token is now in the cache, so the next run needs no AWS
			cmd := n.command()
			cmd.Stdin, cmd.Stdout = strings.NewReader(request(image)), test.stdout(t)
			n.want(n.finish(cmd), outcome{class: failed, says: test.says})
		})
	}
}

// shell returns a command in which a shell runs the plugin. A shell can do what os/exec
// cannot.
func (n *node) shell(script string) *exec.Cmd {
	cmd := n.command()
	cmd.Path, cmd.Args = "/bin/sh", append([]string{"sh", "-c", script, "sh", plugin}, n.args...)
	cmd.Stdin = strings.NewReader(request(image))
	return cmd
}

// TestStderr: a stderr that blocks or cannot be written neither delays the plugin nor
// changes its response or exit status. The same holds with log.destination: Stderr.
func TestStderr(t *testing.T) {
	t.Parallel()
	for name, stderr := range map[string]func(t testing.TB) *os.File{
		"no reader":   func(t testing.TB) *os.File { return fullPipe(t) },
		"closed pipe": closedPipe,
		"full disk":   func(t testing.TB) *os.File { return open(t, "/dev/full", os.O_WRONLY) },
	} {
		for of, test := range map[string]struct {
			settings string
			broken   bool
			status   int
		}{
			"response":          {status: 0},
			"error":             {broken: true, status: 1},
			"log":               {settings: "log: {destination: Stderr}\n", status: 0},
			"log of an error":   {settings: "log: {destination: Stderr}\n", broken: true, status: 1},
			"note of the cache": {settings: "cache: {directory: /etc/passwd/x}\n", status: 0},
			"configuration":     {settings: "unknown: key\n", status: 2},
		} {
			t.Run(name+" "+of, func(t *testing.T) {
				t.Parallel()
				n := newNode(t, assume+test.settings)
				if test.broken {
					n.aws.Break(fakeaws.STS, fakeaws.Denied())
				}
				cmd := n.command()
				cmd.Stdin, cmd.Stderr = strings.NewReader(request(image)), stderr(t)
				got := n.finish(cmd)
				if got.status != test.status || (got.stdout == "") != (test.status != 0) {
					t.Errorf("exit %d, stdout %q; want exit %d", got.status, brief(got.stdout), test.status)
				}
			})
		}
	}
}

// TestStdin: a stdin that does not end, or is not a stream, is an error within the
// deadline.
func TestStdin(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		stdin func(t testing.TB) io.Reader
		says  string
	}{
		"never closed": {func(t testing.TB) io.Reader {
			reader, writer, err := os.Pipe()
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _, _ = reader.Close(), writer.Close() })
			_, _ = writer.WriteString(request(image))
			return reader
		}, "was the request on stdin written and closed?"},
		"/dev/zero": {func(t testing.TB) io.Reader { return open(t, "/dev/zero", os.O_RDONLY) }, "larger than"},
		"/dev/null": {func(t testing.TB) io.Reader { return open(t, os.DevNull, os.O_RDONLY) }, "there is no request on stdin"},
		"directory": {func(t testing.TB) io.Reader { return open(t, "/", os.O_RDONLY) }, "reading the request from stdin"},
		"1 GB":      {func(testing.TB) io.Reader { return io.LimitReader(zeros{}, 1<<30) }, "larger than"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			n := newNode(t, assume+map[bool]string{true: "deadline: 10s\n"}[name == "never closed"])
			cmd := n.command()
			cmd.Stdin = test.stdin(t)
			n.want(n.finish(cmd), outcome{class: failed, says: test.says})
			n.wantCalls(0)
		})
	}
	t.Run("closed", func(t *testing.T) {
		t.Parallel()
		n := newNode(t, assume)
		n.want(n.finish(n.shell(`exec "$@" <&-`)), outcome{class: failed})
	})
}

// zeros is an endless stream.
type zeros struct{}

func (zeros) Read(p []byte) (int, error) { return copy(p, bytes.Repeat([]byte{0}, len(p))), nil }
