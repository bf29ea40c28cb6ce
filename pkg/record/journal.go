package record

import (
	"context"
	"encoding/binary"
	"log/slog"
	"net"
	"strconv"
	"strings"
	"time"
)

// The journal is spoken to by our own few lines: go-systemd's journal.Send waits
// for a journal that takes nothing without end, which a datagram with a deadline
// does not, and knows no other socket than the system's.

// journalPatience is how long a journal whose queue is full is waited for. Then the
// record is lost.
const journalPatience = 50 * time.Millisecond

// ToJournal sends the record to the journal at a socket, if there is one, also
// where the request was stopped. identifier is what `journalctl -t` finds it by.
func (r *Record) ToJournal(ctx context.Context, socket, identifier string) {
	var dialer net.Dialer
	conn, err := dialer.DialContext(context.WithoutCancel(ctx), "unixgram", socket) // which waits for nobody
	if err != nil {
		return
	}
	defer conn.Close() //nolint:errcheck // whatever became of it
	message := datagram(r.entry(), identifier)
	//nolint:forbidigo // the deadlines of sockets are in real time
	if conn.SetWriteDeadline(time.Now().Add(journalPatience)) == nil {
		_, _ = conn.Write(message)
	}
}

// datagram is an entry in the journal's native protocol:
// https://systemd.io/JOURNAL_NATIVE_PROTOCOL/
func datagram(e slog.Record, identifier string) []byte {
	b := appendField(nil, "SYSLOG_IDENTIFIER", identifier)
	b = appendField(b, "PRIORITY", strconv.Itoa(priority(e.Level)))
	b = appendField(b, "MESSAGE", e.Message)
	e.Attrs(func(a slog.Attr) bool {
		name := strings.ToUpper(a.Key)
		if texts, ok := a.Value.Any().([]string); ok { // a field may stand more than once
			for _, text := range texts {
				b = appendField(b, name, text)
			}
			return true
		}
		b = appendField(b, name, a.Value.String())
		return true
	})
	return b
}

// appendField adds a field: NAME=value, or with its length where the value has
// more than one line, so that no value can pass for another field.
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

// priority is syslog's.
func priority(level slog.Level) int {
	switch {
	case level >= slog.LevelError:
		return 3
	case level >= slog.LevelWarn:
		return 4
	}
	return 6
}
