// Package requestlog writes one entry for each request: to the journal, a file or a
// stream. An entry derives only from the request's outcome and its trace. It is
// written once, after the response, and does not affect the response. An entry that
// cannot be written is lost.
package requestlog

import (
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"

	"ecr-cross-account-credential-provider/pkg/failure"
	"ecr-cross-account-credential-provider/pkg/printable"
	"ecr-cross-account-credential-provider/pkg/provider"
	"ecr-cross-account-credential-provider/pkg/rule"
	"ecr-cross-account-credential-provider/pkg/trace"
)

// maxText limits each text of an entry, which must fit into one datagram. Request IDs are
// already limited: see awsapi.
const maxText = 4 << 10

// Entry is the log entry of a request.
type Entry struct {
	time  time.Time
	level slog.Level
	// summary is the entry in one line without the error and the notes, which have
	// their own fields. message includes them.
	summary, message string
	fields           []slog.Attr
}

// New returns the entry of a request. class names the class of o.Err if the error
// itself has none.
func New(o provider.Outcome, class string, t *trace.Trace, now time.Time) Entry {
	e := Entry{time: now, level: slog.LevelInfo}
	note := noteOf(o)
	switch {
	case o.Err != nil:
		e.level = slog.LevelError
	case note != "":
		e.level = slog.LevelWarn
	}
	elapsed := t.Elapsed()
	e.summary, e.message = lines(o, note, elapsed)
	e.add("image", o.Image)
	e.add("registry", o.Registry)
	e.add("entry", entryName(o))
	e.add("identity", o.Identity())
	e.add("service_account", o.ServiceAccount())
	e.add("outcome", result(o))
	if o.Err == nil {
		e.add("cache_duration", rule.ShortDuration(o.Response.CacheDuration))
	}
	if o.Skew != 0 {
		e.add("clock_skew", o.Skew.Round(time.Second).String())
	}
	e.add("note", note)
	if o.Err != nil {
		e.add("error", o.Err.Error())
		e.add("error_class", classOf(o.Err, class))
	}
	e.fields = append(e.fields, milliseconds("duration", elapsed))
	for _, step := range t.Steps() {
		e.fields = append(e.fields, milliseconds(step.Name, step.Spent))
	}
	if ids := t.RequestIDs(); len(ids) > 0 {
		e.fields = append(e.fields, slog.Any("aws_request_id", ids))
	}
	return e
}

func (e *Entry) add(name, text string) {
	if text != "" {
		e.fields = append(e.fields, slog.String(name, printable.Line(text, maxText)))
	}
}

// milliseconds formats a duration to the tenth of a millisecond.
func milliseconds(name string, d time.Duration) slog.Attr {
	return slog.Float64(name+"_ms", float64(d.Round(100*time.Microsecond).Microseconds())/1000)
}

// noteOf returns the warnings for operators about the response.
func noteOf(o provider.Outcome) string {
	notes := o.Notes
	if o.Anonymous != nil {
		notes = append(slices.Clip(notes), "no token for ECR Public, so the pull is anonymous: "+o.Anonymous.Error())
	}
	return strings.Join(notes, "; ")
}

// entryName names the configuration's entry. It is empty if no entry was
// determined.
func entryName(o provider.Outcome) string {
	switch {
	case o.Decision.Entry != nil:
		return o.Decision.Entry.Name
	case o.Registry != "" && o.Err == nil:
		return "unmatched: None"
	}
	return ""
}

// result returns one word for what the kubelet got.
func result(o provider.Outcome) string {
	class, classified := failure.Of(o.Err)
	switch {
	case o.Err != nil && classified && class == failure.Refused:
		return "refused"
	case o.Err != nil:
		return "failed"
	case o.Response.AuthKey == "":
		return "none"
	}
	return o.Lease.Outcome.String()
}

// classOf names the error's class.
func classOf(err error, otherwise string) string {
	if class, ok := failure.Of(err); ok {
		return class.String()
	}
	return otherwise
}

// lines returns the outcome in one line, twice: summary leaves out the error and the
// notes, and message includes them.
func lines(o provider.Outcome, note string, elapsed time.Duration) (summary, message string) {
	image := o.Image
	if image == "" {
		image = "a request"
	}
	took := fmt.Sprintf("; took %s", elapsed.Round(100*time.Microsecond))
	what := "no credentials (not Amazon ECR)"
	switch {
	case o.Err != nil:
		return line(image + ": failed" + took), line(image + ": " + o.Err.Error() + took)
	case o.Response.AuthKey != "":
		what = fmt.Sprintf("%s token of %s (%s)", o.Lease.Outcome, o.Identity(), entryName(o))
	case o.Registry != "":
		what = fmt.Sprintf("no credentials (%s)", entryName(o))
	}
	summary = line(fmt.Sprintf("%s: %s, kept for %s%s", image, what, rule.ShortDuration(o.Response.CacheDuration), took))
	if note == "" {
		return summary, summary
	}
	return summary, line(summary + "; " + note)
}

func line(s string) string { return printable.Line(s, maxText) }
