package record

import (
	"fmt"
	"log/slog"
	"strings"
	"time"
)

// entry is a record at its end, as all destinations have it.
func (r *Record) entry() slog.Record {
	r.mu.Lock()
	defer r.mu.Unlock()
	now := r.now()
	took := now.Sub(r.begin)
	e := slog.NewRecord(now, r.level(), r.message(took), 0)
	for _, field := range order {
		if text := r.fields[field]; text != "" {
			e.AddAttrs(slog.String(string(field), text))
		}
	}
	e.AddAttrs(milliseconds("duration", took))
	for _, s := range r.steps {
		e.AddAttrs(milliseconds(s.name, s.until(now)))
	}
	if len(r.requestIDs) > 0 {
		e.AddAttrs(slog.Any("aws_request_id", r.requestIDs[:len(r.requestIDs):len(r.requestIDs)]))
	}
	return e
}

// milliseconds are to the tenth.
func milliseconds(name string, d time.Duration) slog.Attr {
	return slog.Float64(name+"_ms", float64(d.Round(100*time.Microsecond).Microseconds())/1000)
}

// level: an error; a warning where there is an answer and something to be said
// about it, which a stale one always has.
func (r *Record) level() slog.Level {
	switch {
	case r.fields[Error] != "":
		return slog.LevelError
	case r.fields[Note] != "":
		return slog.LevelWarn
	}
	return slog.LevelInfo
}

// message is the record in one line.
func (r *Record) message(took time.Duration) string {
	var s strings.Builder
	s.WriteString(orElse(r.fields[Image], "a request"))
	rule := r.fields[Rule]
	switch source := r.fields[Source]; {
	case r.fields[Error] != "":
		fmt.Fprintf(&s, ": %s", r.fields[Error])
	case source == None:
		fmt.Fprintf(&s, ": no credentials (%s)", orElse(rule, "not Amazon ECR"))
	default:
		fmt.Fprintf(&s, ": %s token of %s (%s)", source, r.fields[Identity], rule)
	}
	if kept := r.fields[CacheDuration]; kept != "" {
		fmt.Fprintf(&s, ", kept for %s", kept)
	}
	fmt.Fprintf(&s, "; took %s", took.Round(100*time.Microsecond))
	if note := r.fields[Note]; note != "" && r.fields[Error] == "" { // which has it, too
		fmt.Fprintf(&s, "; %s", note)
	}
	return s.String()
}

func orElse(s, other string) string {
	if s == "" {
		return other
	}
	return s
}
