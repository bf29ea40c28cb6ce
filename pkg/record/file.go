package record

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"time"
)

// ToStream writes the record as a line of JSON, in one write, so that the lines
// of several processes do not mix.
func (r *Record) ToStream(ctx context.Context, w io.Writer) error {
	return slog.NewJSONHandler(w, nil).Handle(ctx, r.entry())
}

// filePatience is how long a disk is waited for. Then the record is lost.
const filePatience = 200 * time.Millisecond

// ToFile appends the record to a file, which is made if it is not there.
func (r *Record) ToFile(ctx context.Context, path string) error {
	done := make(chan error, 1)
	go func() { done <- r.toFile(ctx, path) }()
	late := time.NewTimer(filePatience)
	defer late.Stop()
	select {
	case err := <-done:
		return err
	case <-late.C:
		return fmt.Errorf("the log %s took no record within %s", path, filePatience)
	}
}

func (r *Record) toFile(ctx context.Context, path string) (err error) {
	f, err := openLog(path)
	if err != nil {
		return fmt.Errorf("the log %s: %w", path, cause(err))
	}
	if err := errors.Join(r.ToStream(ctx, f), f.Close()); err != nil {
		return fmt.Errorf("writing to the log %s: %w", path, cause(err))
	}
	return nil
}

var errNotRegular = errors.New("not a regular file")

// openLog opens a regular file. The kind comes first: opening a pipe would wait
// for its reader.
func openLog(path string) (*os.File, error) {
	switch info, err := os.Stat(path); {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		return nil, err
	case !info.Mode().IsRegular():
		return nil, errNotRegular
	}
	f, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600) // #nosec G304 -- the path is the operator's
	if err != nil {
		return nil, err
	}
	if info, err := f.Stat(); err != nil || !info.Mode().IsRegular() {
		return nil, errors.Join(errNotRegular, f.Close())
	}
	return f, nil
}

// cause is an error without the operation and the path, which the message has.
func cause(err error) error {
	var path *fs.PathError
	if errors.As(err, &path) {
		return path.Err
	}
	return err
}
