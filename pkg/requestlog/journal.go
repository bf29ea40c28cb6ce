package requestlog

import (
	"context"
	"encoding/binary"
	"log/slog"
	"net"
	"strconv"
	"strings"
	"time"
)

// This file sends the datagrams itself. go-systemd's journal.Send waits forever if
// the journal accepts nothing, and it supports only the system's socket.

// journalPatience is the longest wait for a journal with a full queue. After it,
// the entry is lost.
const journalPatience = 50 * time.Millisecond

// ToJournal sends the entry to the journal at a socket, if there is one. It does so
// even if the request was cancelled. `journalctl -t` finds the entry by the
// identifier.
func (e Entry) ToJournal(ctx context.Context, socket, identifier string) {
	var dialer net.Dialer
	conn, err := dialer.DialContext(context.WithoutCancel(ctx), "unixgram", socket) // never blocks
	if err != nil {
		return
	}
	defer conn.Close() //nolint:errcheck // the datagram is already sent or lost
	message := e.datagram(identifier)
	//nolint:forbidigo // the deadlines of sockets are in real time
	if conn.SetWriteDeadline(time.Now().Add(journalPatience)) == nil {
		_, _ = conn.Write(message)
	}
}

// datagram encodes the entry in the journal's native protocol:
// https://systemd.io/JOURNAL_NATIVE_PROTOCOL/
func (e Entry) datagram(identifier string) []byte {
	b := appendField(nil, "SYSLOG_IDENTIFIER", identifier)
	b = appendField(b, "PRIORITY", strconv.Itoa(priority(e.level)))
	b = appendField(b, "MESSAGE", e.message)
	for _, field := range e.fields {
		name := strings.ToUpper(field.Key)
		if texts, ok := field.Value.Any().([]string); ok { // a field may have several values
			for _, text := range texts {
				b = appendField(b, name, text)
			}
			continue
		}
		b = appendField(b, name, field.Value.String())
	}
	return b
}

// appendField appends a field: NAME=value, or with its length if the value has more
// than one line. So no value can look like another field.
func appendField(b []byte, name, value string) []byte {
	b = append(b, name...)
	if strings.Contains(value, "\n") {
		b = append(b, '\n')
		b = binary.LittleEndian.AppendUint64(b, uint64(len(value)))
	} else {
		b = append(b, '=')
	}
	b = append(b, value...)
	return append(b, '\n')
}

// priority returns syslog's priority of a level.
func priority(level slog.Level) int {
	switch {
	case level >= slog.LevelError:
		return 3
	case level >= slog.LevelWarn:
		return 4
	}
	return 6
}
