// Package fakejournal is a journal for tests: a socket that receives entries in the
// journal's native protocol.
package fakejournal

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// Journal is a fake journal.
type Journal struct {
	// Socket is the path of its socket.
	Socket string
	conn   *net.UnixConn
	self   net.Conn
	marks  int // sent but not yet read
	buffer []byte
}

// mark is a datagram that Raw sends after all others.
const mark = "end"

// Start starts a journal, which ends with the test.
func Start(t testing.TB) *Journal {
	t.Helper()
	dir, err := os.MkdirTemp("", "journal") // the path of t.TempDir may be too long for a socket
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	socket := filepath.Join(dir, "socket")
	conn, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: socket, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	self, err := net.Dial("unixgram", socket)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = self.Close() })
	return &Journal{Socket: socket, conn: conn, self: self, buffer: make([]byte, 1<<20)}
}

// Entry is an entry: the values of each field, in order.
type Entry map[string][]string

// Get returns a field's only value, or "" if there is none.
func (e Entry) Get(name string) string { return strings.Join(e[name], "\x00") }

// Raw returns the next datagram. It reports false if there are no more.
func (j *Journal) Raw() (string, bool) {
	if _, err := j.self.Write([]byte(mark)); err != nil {
		return "", false
	}
	for j.marks++; j.marks > 0; j.marks-- {
		n, err := j.conn.Read(j.buffer)
		if err != nil {
			return "", false
		}
		if text := string(j.buffer[:n]); text != mark {
			return text, true
		}
	}
	return "", false
}

// Fill fills the journal's queue until it accepts no more datagrams.
func (j *Journal) Fill(t testing.TB) {
	t.Helper()
	conn, err := net.Dial("unixgram", j.Socket)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	for err == nil {
		// The only sign of a full queue is that the kernel accepts nothing for some
		// time.
		_ = conn.SetWriteDeadline(time.Now().Add(time.Second))
		_, err = conn.Write([]byte("MESSAGE=x\n"))
	}
}

// Next returns the next entry, which must exist.
func (j *Journal) Next(t testing.TB) Entry {
	t.Helper()
	raw, ok := j.Raw()
	if !ok {
		t.Fatal("the journal has no further entry")
	}
	entry, err := Decode(raw)
	if err != nil {
		t.Fatalf("%v: %q", err, raw)
	}
	return entry
}

// Decode reads a datagram.
func Decode(raw string) (Entry, error) {
	entry := Entry{}
	for rest := []byte(raw); len(rest) > 0; {
		line, after, ok := bytes.Cut(rest, []byte("\n"))
		if !ok {
			return nil, fmt.Errorf("breaks off in %q", rest)
		}
		name, value, ok := bytes.Cut(line, []byte("="))
		if !ok {
			if len(after) < 8 {
				return nil, fmt.Errorf("breaks off in %q", rest)
			}
			n := binary.LittleEndian.Uint64(after)
			if after = after[8:]; uint64(len(after)) < n+1 || after[n] != '\n' {
				return nil, fmt.Errorf("field %s is not %d bytes long", name, n)
			}
			value, after = after[:n], after[n+1:]
		}
		entry[string(name)] = append(entry[string(name)], string(value))
		rest = after
	}
	return entry, nil
}
