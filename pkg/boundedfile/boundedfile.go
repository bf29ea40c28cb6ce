// Package boundedfile reads files that may be anything: a named pipe, a device or a
// file without end.
package boundedfile

import (
	"errors"
	"fmt"
	"io"
	"os"
)

// Read returns the content of a regular file. Its size, in bytes, is at most limit. Read
// does not trust the size that the system reports: files of /proc have size 0, and may
// never end.
func Read(path string, limit int) ([]byte, error) {
	info, err := os.Stat(path)
	switch {
	case err != nil:
		return nil, err
	case !info.Mode().IsRegular(): // checked before opening: opening a pipe waits for its writer
		return nil, fmt.Errorf("%s is not a regular file (%s)", path, info.Mode().Type())
	}
	f, err := os.Open(path) //nolint:gosec // the caller's own file
	if err != nil {
		return nil, err
	}
	content, err := io.ReadAll(io.LimitReader(f, int64(limit)+1))
	if err == nil && len(content) > limit {
		err = fmt.Errorf("%s is larger than %d bytes", path, limit)
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return nil, err
	}
	return content, nil
}
