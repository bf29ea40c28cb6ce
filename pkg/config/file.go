package config

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
)

const maxFile = 1 << 20

// readDocument reads a file that holds one YAML document, and returns the
// document's root.
func readDocument(path string) (*yaml.Node, error) {
	data, err := readTrusted(path)
	if err != nil {
		return nil, err
	}
	switch {
	case len(data) > maxFile:
		return nil, fmt.Errorf("larger than %d bytes; this is hardly the configuration", maxFile)
	case !utf8.Valid(data) || bytes.IndexByte(data, 0) >= 0:
		return nil, errors.New("not a text file in UTF-8; want YAML")
	}
	decoder := yaml.NewDecoder(bytes.NewReader(data))
	var document yaml.Node
	switch err := decoder.Decode(&document); {
	case errors.Is(err, io.EOF):
		return nil, errors.New("empty; want at least apiVersion, kind and registries")
	case err != nil:
		return nil, syntaxError(err)
	}
	switch err := decoder.Decode(new(yaml.Node)); {
	case err == nil:
		return nil, errors.New("has a second YAML document after ---; want one")
	case !errors.Is(err, io.EOF):
		return nil, syntaxError(err)
	}
	if size(document.Content[0], maxNodes) >= maxNodes {
		return nil, fmt.Errorf("has more than %d values, what its aliases stand for included; this is hardly the configuration", maxNodes)
	}
	return document.Content[0], nil
}

// maxNodes is how many values a configuration has at most. A few lines of
// aliases of aliases can stand for any number.
const maxNodes = 20_000

// size counts the values below a node, aliases resolved, up to a limit.
func size(node *yaml.Node, limit int) int {
	if node.Kind == yaml.AliasNode {
		node = node.Alias
	}
	n := 1
	for _, child := range node.Content {
		if n >= limit {
			break
		}
		n += size(child, limit-n)
	}
	return n
}

// readTrusted reads a file that none but root and the plugin's own user can
// have written.
func readTrusted(path string) ([]byte, error) {
	// The kind comes first: opening a pipe would wait for its writer.
	info, err := os.Stat(path)
	if err != nil {
		return nil, describe(err)
	}
	if !info.Mode().IsRegular() {
		return nil, errors.New("not a regular file")
	}
	f, err := os.Open(path) // #nosec G304 -- the path is the operator's
	if err != nil {
		return nil, describe(err)
	}
	defer f.Close() //nolint:errcheck // it was only read
	if info, err = f.Stat(); err != nil {
		return nil, describe(err)
	}
	if err := checkOwner(info); err != nil {
		return nil, err
	}
	data, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err != nil {
		return nil, describe(err)
	}
	return data, nil
}

// describe leaves the operation and the path out, which the problem has.
func describe(err error) error {
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return errors.New("there is no such file")
	case errors.Is(err, fs.ErrPermission):
		return errors.New("cannot be read: permission denied")
	}
	var path *fs.PathError
	if errors.As(err, &path) {
		return fmt.Errorf("cannot be read: %w", path.Err)
	}
	return fmt.Errorf("cannot be read: %w", err)
}
