// Package record keeps what happened with one request, for whoever asks later:
// filled on the way, by whatever has the request's context, and written once at
// the end, to the journal, a file or a stream. It takes no part in the answer:
// what can't be written is lost.
package record

import (
	"context"
	"strings"
	"sync"
	"time"
	"unicode"
)

// Field is a name in a record; the journal has it in capitals.
type Field string

// The fields that are set on the way, in the order in which they are written.
const (
	Image    Field = "image"
	Registry Field = "registry"
	// Rule is the entry of the configuration that governs.
	Rule Field = "rule"
	// Identity is who the rule has ask for the token.
	Identity Field = "identity"
	// ServiceAccount is the pod's, NAMESPACE/NAME, where the way starts with it.
	ServiceAccount Field = "service_account"
	// Source is where the answer is from.
	Source Field = "source"
	// CacheDuration is for how long the kubelet was told to keep the answer.
	CacheDuration Field = "cache_duration"
	// Note is what people should know beside the answer.
	Note Field = "note"
	// Error is why there is none, and ErrorClass what that means, where it is
	// AWS's answer or the configuration.
	Error      Field = "error"
	ErrorClass Field = "error_class"
)

var order = []Field{Image, Registry, Rule, Identity, ServiceAccount, Source, CacheDuration, Note, Error, ErrorClass}

// The sources of an answer besides those of a token, which are the cache's.
const (
	// None: an answer without credentials, or no answer.
	None = "none"
	// Refused: AWS said no, just now or not long ago.
	Refused = "refused"
)

// Bounds of what is kept: a record must fit in one datagram, whatever is said.
const (
	maxText       = 4 << 10
	maxSteps      = 24
	maxRequestIDs = 24
	maxRequestID  = 64
)

// Record is what happened with a request. A nil *Record keeps nothing. It may be
// written while what it is about still goes on: a request is given up where its
// time is over.
type Record struct {
	now   func() time.Time
	begin time.Time

	mu         sync.Mutex
	fields     map[Field]string
	steps      []step
	requestIDs []string
}

// Start begins a record.
func Start(now func() time.Time) *Record {
	return &Record{now: now, begin: now(), fields: map[Field]string{Source: None}}
}

type contextKey struct{}

// With makes a context whose requests are noted in the record.
func With(ctx context.Context, r *Record) context.Context {
	return context.WithValue(ctx, contextKey{}, r)
}

// Of is the context's record; nil is none.
func Of(ctx context.Context) *Record {
	r, _ := ctx.Value(contextKey{}).(*Record)
	return r
}

// Set sets a field.
func (r *Record) Set(field Field, text string) {
	if r == nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.fields[field] = clean(text, maxText)
}

// AddNote adds to Note.
func (r *Record) AddNote(text string) {
	if r == nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if before := r.fields[Note]; before != "" {
		text = before + "; " + text
	}
	r.fields[Note] = clean(text, maxText)
}

// Answered notes AWS's name for a request that it answered, by which the owner of
// the images finds it in CloudTrail. Not every answer has one.
func (r *Record) Answered(requestID string) {
	if r == nil || requestID == "" {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.requestIDs) < maxRequestIDs {
		r.requestIDs = append(r.requestIDs, clean(requestID, maxRequestID))
	}
}

// clean makes text from outside fit for a record: in one line, and bounded.
func clean(s string, most int) string {
	if len(s) > most {
		s = strings.ToValidUTF8(s[:most], "") + "…"
	}
	s = strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(s, "?"))
	return strings.Join(strings.Fields(s), " ")
}
