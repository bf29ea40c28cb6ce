package metrics

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"ecr-cross-account-credential-provider/pkg/cache"
)

// WriteFile replaces a file for node_exporter's textfile collector. No reader sees
// a partial file. WriteFile refuses a directory in which users other than root and
// this one may write. Such users could make it replace another file.
func WriteFile(path string, text []byte) error {
	err := writeFile(path, text)
	if err != nil {
		return fmt.Errorf("writing the metrics to %s: %w", path, err)
	}
	return nil
}

func writeFile(path string, text []byte) error {
	path, err := filepath.Abs(path)
	if err != nil {
		return err
	}
	dir, err := filepath.EvalSymlinks(filepath.Dir(path))
	if err != nil {
		return err
	}
	path = filepath.Join(dir, filepath.Base(path))
	if info, err := os.Stat(dir); err != nil || info.Mode().Perm()&0o022 != 0 {
		return errors.Join(err, fmt.Errorf("others may write to directory %s; run: chmod go-w %s", dir, dir))
	}
	if err := cache.CheckParents(path); err != nil {
		return err
	}
	file, err := os.CreateTemp(dir, "."+filepath.Base(path)+".*") // the collector ignores it, because its name does not end in .prom
	if err != nil {
		return err
	}
	defer os.Remove(file.Name()) //nolint:errcheck // it was renamed, or is not needed
	_, err = file.Write(text)
	if err = errors.Join(err, file.Chmod(0o644), file.Close()); err != nil {
		return err
	}
	return os.Rename(file.Name(), path)
}
