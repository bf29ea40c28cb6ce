package config

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"unicode/utf8"
)

const maxFile = 1 << 20

const isEmpty = "empty; want at least apiVersion, kind and registries"

// read returns the source's text.
func (s Source) read() ([]byte, error) {
	in := s.Reader
	if in == nil {
		f, err := s.open()
		if err != nil {
			return nil, err
		}
		defer f.Close() //nolint:errcheck // it was only read
		in = f
	}
	data, err := io.ReadAll(io.LimitReader(in, maxFile+1))
	switch {
	case err != nil:
		return nil, describe(err)
	case len(data) > maxFile:
		return nil, fmt.Errorf("larger than %d bytes; this is probably not the configuration", maxFile)
	case !utf8.Valid(data) || bytes.IndexByte(data, 0) >= 0:
		return nil, errors.New("not a text file in UTF-8; want YAML")
	}
	return data, nil
}

func (s Source) open() (*os.File, error) {
	// The file's kind is checked first, because opening a pipe waits for its
	// writer.
	info, err := os.Stat(s.Path)
	if err != nil {
		return nil, describe(err)
	}
	if !info.Mode().IsRegular() {
		return nil, errors.New("not a regular file")
	}
	f, err := os.Open(s.Path) // #nosec G304 -- the path is the operator's
	if err != nil {
		return nil, describe(err)
	}
	if info, err = f.Stat(); err != nil {
		err = describe(err)
	} else if !s.AnyOwner {
		err = checkOwner(info)
	}
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

// describe returns an error's text without the operation and the path. The problem
// itself names the path.
func describe(err error) error {
	switch path := (*fs.PathError)(nil); {
	case errors.Is(err, fs.ErrNotExist):
		return errors.New("not found")
	case errors.Is(err, fs.ErrPermission):
		return errors.New("cannot be read: permission denied")
	case errors.As(err, &path):
		err = path.Err
	}
	return fmt.Errorf("cannot be read: %w", err)
}
