package requestlog

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"time"
)

// ToStream writes the entry as a line of JSON, in one write, so that the lines of
// several processes do not mix.
func (e Entry) ToStream(ctx context.Context, w io.Writer) error {
	record := slog.NewRecord(e.time, e.level, e.summary, 0)
	record.AddAttrs(e.fields...)
	return slog.NewJSONHandler(w, nil).Handle(ctx, record)
}

// filePatience is the longest wait for a disk. After it, the entry is lost.
const filePatience = 200 * time.Millisecond

// ToFile appends the entry to a file. It creates the file with mode 0600.
func (e Entry) ToFile(ctx context.Context, path string) error {
	done := make(chan error, 1)
	go func() { done <- e.toFile(ctx, path) }()
	late := time.NewTimer(filePatience)
	defer late.Stop()
	select {
	case err := <-done:
		return err
	case <-late.C:
		return fmt.Errorf("the log %s accepted no entry within %s", path, filePatience)
	}
}

func (e Entry) toFile(ctx context.Context, path string) (err error) {
	f, err := openLog(path)
	if err != nil {
		return fmt.Errorf("the log %s: %w", path, cause(err))
	}
	if err := errors.Join(e.ToStream(ctx, f), f.Close()); err != nil {
		return fmt.Errorf("writing to the log %s: %w", path, cause(err))
	}
	return nil
}

var errNotRegular = errors.New("not a regular file")

// openLog opens a regular file that belongs to root or to this user. It checks the
// file's kind before opening, so that the error names the cause even for a pipe.
func openLog(path string) (*os.File, error) {
	path, err := follow(path)
	if err != nil {
		return nil, err
	}
	switch info, err := os.Lstat(path); {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		return nil, err
	case !info.Mode().IsRegular():
		return nil, errNotRegular
	}
	f, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY|openFlags, 0o600) // #nosec G304 -- the path is the operator's
	if err != nil {
		return nil, err
	}
	if err := checkLog(f); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

// follow returns the target of a symbolic link. It refuses a link that belongs neither
// to root nor to this user. It returns any other path unchanged.
func follow(path string) (string, error) {
	link, err := os.Lstat(path)
	if err != nil || link.Mode()&fs.ModeSymlink == 0 {
		return path, nil //nolint:nilerr // opening the path says what is wrong with it
	}
	if err := checkOwner(link); err != nil {
		return "", fmt.Errorf("a symbolic link %w", err)
	}
	return filepath.EvalSymlinks(path)
}

// checkLog checks the open file, because the path may have changed since the first
// check.
func checkLog(f *os.File) error {
	info, err := f.Stat()
	switch {
	case err != nil:
		return err
	case !info.Mode().IsRegular():
		return errNotRegular
	}
	return checkOwner(info)
}

// cause returns an error without the operation and the path. The message already
// has the path.
func cause(err error) error {
	var path *fs.PathError
	if errors.As(err, &path) {
		return path.Err
	}
	return err
}
