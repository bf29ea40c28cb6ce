package cli

import (
	"context"
	"errors"

	"ecr-cross-account-credential-provider/pkg/config"
	"ecr-cross-account-credential-provider/pkg/record"
)

// log ends a request's record and writes it where the configuration says; by
// default if the configuration is what went wrong. It comes after the answer and
// has no say in it: only where there is one may the note go to stderr that the
// record is lost, as an error is the one line there.
func (p Process) log(ctx context.Context, to config.Log, r *record.Record, failure error) {
	if failure != nil {
		r.Set(record.Error, failure.Error())
		var exit *exitError
		if errors.As(failure, &exit) && exit.status == misused {
			r.Set(record.ErrorClass, "configuration")
		}
	}
	if err := p.write(ctx, to, r); err != nil && failure == nil {
		p.note(err.Error())
	}
}

func (p Process) write(ctx context.Context, to config.Log, r *record.Record) error {
	switch to.Destination {
	case config.ToJournal:
		if p.Journal != "" {
			r.ToJournal(ctx, p.Journal, Name)
		}
	case config.ToStderr:
		return r.ToStream(ctx, p.Stderr)
	case config.ToFile:
		return r.ToFile(ctx, to.File)
	case config.ToNone:
	}
	return nil
}
